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
        Architecture architecture = calibration.Network.Architecture;
        int gates = architecture.Cell.Gates();
        return new PruningPlan(method, [.. KeepCounts.OfRecurrences(architecture, keep).Select((k, r) =>
        {
            Matrix hidden = calibration.Weights.Recurrences[r].Hidden, mask = new(hidden.Rows, hidden.Columns);
            double[] score = scores(r, hidden);
            foreach (int i in Enumerable.Range(0, score.Length).OrderByDescending(i => score[i]).Take(gates * k * k)) mask.Data[i] = 1;
            return UnitPlan.Whole(hidden.Columns) with { Mask = mask };
        })]);
    }
}
