using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>Baseline: units drawn uniformly, with or without reconstruction.</summary>
/// <param name="isReconstructed">Whether the dropped units are reconstructed from the kept ones.</param>
/// <param name="ridge">tau over Tr S / m; null: what serves the cell well.</param>
public sealed class RandomUnits(bool isReconstructed = true, double? ridge = null) : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "random";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        Architecture architecture = calibration.Network.Architecture;
        return new PruningPlan(Name, [.. KeepCounts.OfRecurrences(architecture, keep).Select((k, r) =>
        {
            int units = architecture.RecurrenceUnits(r);
            SelectionProblem blind = new(Matrix.Identity(units), new double[units], Matrix.Identity(units));
            int[] kept = SampledSelector.Uniform(calibration.Settings.Seed + (ulong)r).Select(blind, k).Kept;
            return isReconstructed ? UnitFold.Reconstructed(calibration.Gram(r), ridge ?? Ridge.Default(architecture.Cell), kept) : UnitFold.None(units, kept);
        })]);
    }
}
