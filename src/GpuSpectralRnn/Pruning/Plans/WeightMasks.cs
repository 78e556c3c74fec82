using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>Plans that keep single weights of the recurrent matrices.</summary>
internal static class WeightMasks
{
    /// <summary>A plan that keeps, in each W_hh, the weights with the largest scores: k^2 for each gate.</summary>
    public static PruningPlan Largest(string method, Calibration calibration, IReadOnlyList<int> keep, Func<int, Matrix, double[]> scores)
    {
        return AxisPlans.PlanRecurrences(method, calibration, keep, (axis, i, k) =>
        {
            Matrix hidden = calibration.Weights.HiddenWeight(axis), mask = new(hidden.Rows, hidden.Columns);
            int gates = hidden.Rows / hidden.Columns;
            double[] score = scores(i, hidden);
            foreach (int at in Enumerable.Range(0, score.Length).OrderByDescending(at => score[at]).Take(gates * k * k)) mask.Data[at] = 1;
            return UnitPlan.Whole(hidden.Columns) with { Mask = mask };
        });
    }
}
