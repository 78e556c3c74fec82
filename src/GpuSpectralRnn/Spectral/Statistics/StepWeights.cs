using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Spectral;

/// <summary>Weights of a batch's steps in statistics, on their device; 0 for padding.</summary>
internal sealed class StepWeights : IDisposable
{
    private readonly IBackend backend;
    private readonly Tensor perStep;
    private readonly int capacity;
    private readonly double[] sums; // of the first steps
    private Tensor? perSequence;

    /// <summary>Allocates memory for batches of up to <paramref name="capacity"/> sequences.</summary>
    /// <param name="backend">Backend of the batches.</param>
    /// <param name="perStep">w_t [T].</param>
    /// <param name="capacity">Largest B.</param>
    public StepWeights(IBackend backend, float[] perStep, int capacity)
    {
        (this.backend, this.capacity) = (backend, capacity);
        sums = new double[perStep.Length + 1];
        for (int t = 0; t < perStep.Length; t++) sums[t + 1] = sums[t] + perStep[t];
        this.perStep = StatisticsCollector.Upload(backend, perStep);
    }

    /// <summary>Weight 1 for every step.</summary>
    public static StepWeights Ones(IBackend backend, int steps, int capacity) => new(backend, [.. Enumerable.Repeat(1f, steps)], capacity);

    /// <summary>The weights of a batch, valid until the next call, and their sum over its steps and sequences.</summary>
    /// <param name="onDevice">The lengths on the device, Int32 [B]; null where all sequences are whole.</param>
    /// <param name="lengths">The lengths of its sequences [B] in host memory.</param>
    /// <returns>[T], or [T, B] where a sequence is shorter than T.</returns>
    public (Tensor Weights, double Sum) For(Tensor? onDevice, ReadOnlySpan<int> lengths)
    {
        double sum = 0;
        foreach (int length in lengths) sum += sums[length];
        if (onDevice is null) return (perStep, sum);
        int steps = sums.Length - 1;
        perSequence ??= backend.Allocate(new Shape(steps, capacity));
        Tensor weights = perSequence.View(0, steps, lengths.Length);
        backend.Matrix.WeighSteps(new(perStep, onDevice, weights));
        return (weights, sum);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        perStep.Dispose();
        perSequence?.Dispose();
    }
}
