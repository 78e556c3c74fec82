using System.Diagnostics;

namespace GpuSpectralRnn.Compute;

/// <summary>What one case took.</summary>
/// <param name="TrainMilliseconds">Median of a training step: forward, mean-square loss over all hidden states, backward, Adam.</param>
/// <param name="InferMilliseconds">Median of a forward pass.</param>
/// <param name="Gflops">Arithmetic of the products in a training step, in 1e9 operations per second.</param>
/// <param name="Parameters">Number of weights and biases.</param>
public readonly record struct RecurrentTiming(double TrainMilliseconds, double InferMilliseconds, double Gflops, long Parameters);

/// <summary>
/// A recurrent layer as it is timed side by side with other libraries: random input, W_hh = 0.9 I for ReLU, the loss the mean square of all hidden
/// states.
/// </summary>
/// <param name="Name">Short name of the case.</param>
/// <param name="Shape">Extents and cell.</param>
public sealed record RecurrentBenchmark(string Name, RecurrentShape Shape)
{
    /// <summary>The standing cases: images read by rows and by pixels, with 128 hidden units.</summary>
    public static IReadOnlyList<RecurrentBenchmark> Cases { get; } =
    [
        new("rnn-row", new RecurrentShape(CellKind.RnnRelu, Steps: 28, Batch: 64, Inputs: 28, Hidden: 128)),
        new("rnn-pixel", new RecurrentShape(CellKind.RnnRelu, Steps: 784, Batch: 64, Inputs: 1, Hidden: 128)),
        new("rnn-pixel-b256", new RecurrentShape(CellKind.RnnRelu, Steps: 784, Batch: 256, Inputs: 1, Hidden: 128)),
    ];

    /// <summary>Floating-point operations in the products of one training step: forward, back through the steps, and both weight gradients.</summary>
    public double TrainingOperations => 2.0 * Shape.Steps * Shape.Batch * Shape.Hidden * (3.0 * Shape.Hidden + 2.0 * Shape.Inputs);

    /// <summary>Runs the case <paramref name="runs"/> times after a warm-up.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="runs"/> is below one.</exception>
    public RecurrentTiming Run(IBackend backend, int runs = 7)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        using RecurrentBenchmarkState state = new(backend, Shape);
        double train = Median(backend, state.Train, runs);
        double infer = Median(backend, state.Infer, runs);
        return new RecurrentTiming(train, infer, TrainingOperations / train * 1e-6, state.Parameters);
    }

    private static double Median(IBackend backend, Action step, int runs)
    {
        for (int i = 0; i < 2; i++) step();
        double[] times = new double[runs];
        for (int i = 0; i < runs; i++)
        {
            backend.Synchronize();
            long start = Stopwatch.GetTimestamp();
            step();
            backend.Synchronize();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        return (times[(runs - 1) / 2] + times[runs / 2]) / 2;
    }
}
