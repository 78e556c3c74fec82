using BenchmarkDotNet.Running;
using GpuSpectralRnn.Bench;

// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- --filter '*Gemm*'                  BenchmarkDotNet on the host
// dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- beside-host pocl rnn-row gemm-512   a device and the host in turn
if (args is ["beside-host", var device, .. var names]) BesideHost.Run(device, names);
else BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
