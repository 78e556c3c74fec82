using BenchmarkDotNet.Attributes;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Bench;

/// <summary>C = A B on the host, against plain loops and one thread: squares, and the tall and skinny shapes of a read-out.</summary>
[Gflops]
public class GemmBenchmarks
{
    private readonly HostBackend all = new();
    private readonly HostBackend single = new(1);
    private float[] left = [];
    private float[] right = [];
    private float[] product = [];
    private Tensor[] onAll = [];
    private Tensor[] onSingle = [];

    public static IEnumerable<Extents> Cases =>
    [
        new(64, 64, 64),
        new(128, 128, 128),
        new(256, 256, 256),
        new(512, 512, 512),
        new(1024, 1024, 1024),
        new(64, 10, 128),
        new(1792, 128, 128),
        new(700, 10000, 200),
    ];

    [ParamsSource(nameof(Cases))]
    public Extents Case { get; set; } = new(1, 1, 1);

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        left = [.. Enumerable.Range(0, Case.M * Case.K).Select(_ => random.NextSingle())];
        right = [.. Enumerable.Range(0, Case.K * Case.N).Select(_ => random.NextSingle())];
        product = new float[Case.M * Case.N];
        onAll = Upload(all);
        onSingle = Upload(single);
    }

    [Benchmark(Baseline = true)]
    public void PlainLoops()
    {
        Array.Clear(product);
        for (int i = 0; i < Case.M; i++)
        {
            for (int l = 0; l < Case.K; l++)
            {
                float x = left[i * Case.K + l];
                for (int j = 0; j < Case.N; j++) product[i * Case.N + j] += x * right[l * Case.N + j];
            }
        }
    }

    [Benchmark]
    public void OneThread() => single.Matrix.Gemm(new(false, false, 1, onSingle[0], onSingle[1], 0, onSingle[2]));

    [Benchmark]
    public void AllThreads() => all.Matrix.Gemm(new(false, false, 1, onAll[0], onAll[1], 0, onAll[2]));

    private Tensor[] Upload(HostBackend backend)
    {
        Shape[] shapes = [new(Case.M, Case.K), new(Case.K, Case.N), new(Case.M, Case.N)];
        Tensor[] operands = Array.ConvertAll(shapes, x => backend.Allocate(x));
        operands[0].CopyFrom<float>(left);
        operands[1].CopyFrom<float>(right);
        return operands;
    }

    public sealed record Extents(int M, int N, int K) : IWork
    {
        public double Operations => 2.0 * M * N * K;

        public override string ToString() => $"{M}x{N}x{K}";
    }
}
