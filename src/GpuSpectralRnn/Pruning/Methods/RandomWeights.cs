using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Pruning;

/// <summary>Baseline: unstructured random pruning of W_hh to k^2 weights, drawn uniformly. A mask: the network keeps its size.</summary>
public sealed class RandomWeights : IPruningMethod
{
    private const ulong Stream = 1UL << 57;

    /// <inheritdoc/>
    public string Name => "random-weight";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep) => WeightMasks.Largest(Name, calibration, keep, (layer, hidden) =>
    {
        double[] scores = new double[hidden.Data.Length];
        for (int i = 0; i < scores.Length; i++) scores[i] = Philox.Word(calibration.Settings.Seed, Stream + (ulong)layer, (ulong)i);
        return scores;
    });
}
