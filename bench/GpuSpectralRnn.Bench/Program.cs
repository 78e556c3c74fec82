using BenchmarkDotNet.Running;

// For example: dotnet run -c Release --project bench/GpuSpectralRnn.Bench -- --filter '*Gemm*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
