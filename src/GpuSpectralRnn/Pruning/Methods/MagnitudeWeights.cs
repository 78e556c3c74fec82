namespace GpuSpectralRnn.Pruning;

/// <summary>Baseline: unstructured magnitude pruning of W_hh to its k^2 largest weights. A mask: the network keeps its size.</summary>
public sealed class MagnitudeWeights : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "magnitude-weight";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep) =>
        WeightMasks.Largest(Name, calibration, keep, (_, hidden) => Array.ConvertAll(hidden.Data, Math.Abs));
}
