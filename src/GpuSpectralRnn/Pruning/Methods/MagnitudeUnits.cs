using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Baseline: the units with the largest ||row||^2 + ||column||^2 of W_hh (all gates), with or without reconstruction. It is not among the paper's.
/// </summary>
/// <param name="isReconstructed">Whether the dropped units are reconstructed from the kept ones.</param>
/// <param name="ridge">tau over Tr S / m; null: what serves the cell well.</param>
public sealed class MagnitudeUnits(bool isReconstructed = true, double? ridge = null) : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "magnitude-unit";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        Architecture architecture = calibration.Network.Architecture;
        return new PruningPlan(Name, [.. KeepCounts.OfRecurrences(architecture, keep).Select((k, r) =>
        {
            int units = architecture.RecurrenceUnits(r);
            Matrix hidden = calibration.Weights.Recurrences[r].Hidden;
            double[] size = new double[units];
            for (int i = 0; i < hidden.Rows; i++)
            {
                for (int j = 0; j < units; j++)
                {
                    double square = hidden[i, j] * hidden[i, j];
                    size[i % units] += square;
                    size[j] += square;
                }
            }

            int[] kept = [.. Enumerable.Range(0, units).OrderByDescending(j => size[j]).Take(k).Order()];
            return isReconstructed ? UnitFold.Reconstructed(calibration.Gram(r), ridge ?? Ridge.Default(architecture.Cell), kept) : UnitFold.None(units, kept);
        })]);
    }
}
