using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>Baseline: keeps units drawn uniformly, with or without reconstruction.</summary>
/// <param name="isReconstructed">Whether the dropped units are reconstructed from the kept ones.</param>
/// <param name="ridge">Ridge tau relative to Tr S / m; null: the cell's default.</param>
public sealed class RandomUnits(bool isReconstructed = true, double? ridge = null) : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "random";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        return AxisPlans.Plan(Name, calibration, keep, (axis, i, k, tied) =>
        {
            int units = axis.Units;
            SelectionProblem blind = new(Matrix.Identity(units), new double[units], Matrix.Identity(units));
            int[] kept = tied ?? SampledSelector.Uniform(calibration.Settings.Seed + (ulong)i).Select(blind, k).Kept;
            return isReconstructed && axis.IsFoldable
                ? UnitFold.Reconstructed(calibration.Gram(i), ridge ?? calibration.DefaultRidge(axis), kept)
                : UnitFold.None(units, kept);
        });
    }
}
