using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Baseline: W_hh pruned to k^2 weights of each gate as random biregular graphs, expanders whatever the weights are (docs/method.md, section 16). A
/// mask: the network keeps its size.
/// </summary>
public sealed class BiregularWeights : IPruningMethod
{
    private const ulong Stream = 1UL << 56;

    /// <inheritdoc/>
    public string Name => "biregular-weight";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep) => AxisPlans.PlanRecurrences(Name, calibration, keep, (axis, i, k) =>
    {
        Matrix hidden = calibration.Weights.HiddenWeight(axis), mask = new(hidden.Rows, hidden.Columns);
        int units = hidden.Columns;
        for (int gate = 0; gate < hidden.Rows / units; gate++)
        {
            Matrix own = BiregularMask.Draw(units, units, k * k, calibration.Settings.Seed, Stream + ((ulong)i << 8) + (ulong)gate);
            own.Data.CopyTo(mask.Data, gate * units * units);
        }

        return UnitPlan.Whole(units) with { Mask = mask };
    });
}
