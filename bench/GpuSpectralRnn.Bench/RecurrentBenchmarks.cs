using BenchmarkDotNet.Attributes;
using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Bench;

/// <summary>Training steps of the known recurrent cases on the host; the baseline is one thread.</summary>
[Gflops]
public class RecurrentBenchmarks
{
    private HostBackend all = null!;
    private HostBackend single = null!;
    private RecurrentBenchmarkState onAll = null!;
    private RecurrentBenchmarkState onSingle = null!;

    public static IEnumerable<Work> Cases => RecurrentBenchmark.Cases.Where(x => !x.IsLong).Select(x => new Work(x));

    [ParamsSource(nameof(Cases))]
    public Work Case { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        all = new HostBackend();
        single = new HostBackend(1);
        onAll = new RecurrentBenchmarkState(all, Case.Benchmark.Shape, Case.Benchmark.Layers);
        onSingle = new RecurrentBenchmarkState(single, Case.Benchmark.Shape, Case.Benchmark.Layers);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        onAll.Dispose();
        onSingle.Dispose();
        all.Dispose();
        single.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void TrainOneThread() => onSingle.Train();

    [Benchmark]
    public void TrainAllThreads() => onAll.Train();

    public sealed record Work(RecurrentBenchmark Benchmark) : IWork
    {
        public double Operations => Benchmark.TrainingOperations;

        public override string ToString() => Benchmark.Name;
    }
}
