namespace GpuSpectralRnn.Pruning;

/// <summary>Baseline: the k^2 largest weights of W_hh stay, wherever they stand. A mask: the network keeps its size.</summary>
public sealed class MagnitudeWeights : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "magnitude-weight";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep) =>
        WeightMasks.Largest(Name, calibration, keep, (_, hidden) => Array.ConvertAll(hidden.Data, Math.Abs));
}
