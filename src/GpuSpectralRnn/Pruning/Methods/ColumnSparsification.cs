using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Baseline: keeps the k columns of W_hh with the largest norms. All units remain, but the recurrence reads only k of them. A mask: the network keeps
/// its size.
/// </summary>
public sealed class ColumnSparsification : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "column";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        return AxisPlans.PlanRecurrences(Name, calibration, keep, (axis, _, k) =>
        {
            Matrix hidden = calibration.Weights.HiddenWeight(axis), mask = new(hidden.Rows, hidden.Columns);
            double[] norms = new double[hidden.Columns];
            for (int i = 0; i < hidden.Rows; i++)
                for (int j = 0; j < norms.Length; j++) norms[j] += hidden[i, j] * hidden[i, j];
            foreach (int j in Enumerable.Range(0, norms.Length).OrderByDescending(j => norms[j]).Take(k))
                for (int i = 0; i < hidden.Rows; i++) mask[i, j] = 1;
            return UnitPlan.Whole(hidden.Columns) with { Mask = mask };
        });
    }
}
