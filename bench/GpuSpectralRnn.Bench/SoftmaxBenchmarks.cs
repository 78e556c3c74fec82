using BenchmarkDotNet.Attributes;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Bench;

/// <summary>Softmax cross-entropy with its gradient, for a few classes and for a vocabulary; the baseline is the same with plain loops.</summary>
public class SoftmaxBenchmarks
{
    private HostBackend backend = null!;
    private Tensor logits = null!;
    private Tensor labels = null!;
    private Tensor gradient = null!;
    private LossTotals totals = null!;
    private float[] x = [];
    private float[] slope = [];

    [Params(10, 10000)]
    public int Classes { get; set; }

    [Params(64, 700)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        backend = new HostBackend();
        logits = backend.Allocate(new Shape(Rows, Classes));
        labels = backend.Allocate(new Shape(Rows), ElementType.Int32);
        gradient = backend.Allocate(new Shape(Rows, Classes));
        totals = backend.Loss.CreateTotals();
        backend.Random.Normal(new(logits, 1, 1, 0, 1));
        x = logits.ToArray();
        slope = new float[x.Length];
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (IDisposable thing in new IDisposable[] { logits, labels, gradient, totals, backend }) thing.Dispose();
    }

    [Benchmark(Baseline = true)]
    public double PlainLoops()
    {
        double loss = 0;
        for (int i = 0; i < Rows; i++)
        {
            ReadOnlySpan<float> row = x.AsSpan(i * Classes, Classes);
            Span<float> result = slope.AsSpan(i * Classes, Classes);
            float largest = row[0];
            foreach (float value in row) largest = MathF.Max(largest, value);
            float sum = 0;
            for (int j = 0; j < Classes; j++) sum += result[j] = MathF.Exp(row[j] - largest);
            for (int j = 0; j < Classes; j++) result[j] /= sum;
            result[0] -= 1;
            loss += Math.Log(sum) - (row[0] - largest);
        }

        return loss;
    }

    [Benchmark]
    public void Host() => backend.Loss.SoftmaxCrossEntropy(new(logits, labels, 1, gradient, totals));
}
