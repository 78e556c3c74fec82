using BenchmarkDotNet.Running;
using GpuSpectralRnn.Bench;

// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- --filter '*Gemm*'                  BenchmarkDotNet on the host
// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- beside-host pocl rnn-row gemm-512   a device and the host in turn
// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- gemm-lab pocl 512                   the product, naive to fast
// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- large-data 'X-*.npy' 'Y-*.npy' 0      training out of files and out of memory
// mpirun -np N dotnet bench/GpuSpectralRnn.Bench/bin/Release/net10.0/GpuSpectralRnn.Bench.dll scaling 1 [CASE...]   steps of a group, with threads for each member
// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- scaling-model [CASE...]                what they would take on up to 1,024 machines
// bench/soak.sh [--minutes N]                                                                       train, prune, predict for an hour in one process
if (args is ["gemm-lab", var where, var order]) GpuSpectralRnn.Bench.Lab.GemmLab.Run(where, int.Parse(order, System.Globalization.CultureInfo.InvariantCulture));
else if (args is ["beside-host", var device, .. var names]) BesideHost.Run(device, names);
else if (args is ["large-data", var sequences, var labels, var threads])
    LargeData.Run(sequences, labels, int.Parse(threads, System.Globalization.CultureInfo.InvariantCulture));
else if (args is ["scaling", var each, .. var measured]) Scaling.Measure(measured, int.Parse(each, System.Globalization.CultureInfo.InvariantCulture));
else if (args is ["scaling-model", .. var modelled]) Scaling.Model(modelled);
else if (args is ["soak", var minutes, var csv]) return Soak.Run(double.Parse(minutes, System.Globalization.CultureInfo.InvariantCulture), csv);
else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
