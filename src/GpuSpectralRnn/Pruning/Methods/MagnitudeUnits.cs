using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Baseline, not in the paper: keeps the units with the largest ||row||^2 + ||column||^2 of W_hh (all gates), or of all matrices that make and read
/// them where they belong to no recurrence, with or without reconstruction.
/// </summary>
/// <param name="isReconstructed">Whether the dropped units are reconstructed from the kept ones.</param>
/// <param name="ridge">Ridge tau relative to Tr S / m; null: the cell's default.</param>
public sealed class MagnitudeUnits(bool isReconstructed = true, double? ridge = null) : IPruningMethod
{
    /// <inheritdoc/>
    public string Name => "magnitude-unit";

    /// <inheritdoc/>
    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep)
    {
        return AxisPlans.Plan(Name, calibration, keep, (axis, i, k, tied) =>
        {
            int[] kept = tied ?? Largest(calibration.Weights, axis, k);
            return isReconstructed && axis.IsFoldable
                ? UnitFold.Reconstructed(calibration.Gram(i), ridge ?? calibration.DefaultRidge(axis), kept)
                : UnitFold.None(axis.Units, kept);
        });
    }

    private static int[] Largest(NetworkWeights weights, PrunableAxis axis, int k)
    {
        double[] size = new double[axis.Units];
        if (weights.Graph.Recurrence(axis.Axis) is { } recurrent)
        {
            Matrix hidden = weights[recurrent.HiddenWeight];
            for (int i = 0; i < hidden.Rows; i++)
            {
                for (int j = 0; j < size.Length; j++)
                {
                    double square = hidden[i, j] * hidden[i, j];
                    size[i % size.Length] += square;
                    size[j] += square;
                }
            }
        }
        else
        {
            foreach (UnitUse use in weights.Graph.UsesOf(axis.Name)) AddSquares(weights, use, size);
        }

        return [.. Enumerable.Range(0, size.Length).OrderByDescending(j => size[j]).Take(k).Order()];
    }

    private static void AddSquares(NetworkWeights weights, UnitUse use, double[] size)
    {
        (string? name, int first) = use switch
        {
            RowsOfUnits rows => (rows.Parameter, 0),
            ProducesByColumns made => (made.Parameter, 0),
            ReadsLinearly read => (read.Parameter, read.FirstColumn),
            _ => (null, 0),
        };
        if (name is null) return;
        Matrix matrix = weights[name];
        if (use is RowsOfUnits own)
        {
            int stride = own.Stride == 0 ? size.Length : own.Stride;
            for (int block = 0; block < own.Blocks; block++)
                for (int j = 0; j < size.Length; j++)
                    size[j] += VectorOps.Dot(matrix.Row((block * stride) + own.FirstRow + j), matrix.Row((block * stride) + own.FirstRow + j));
            return;
        }

        for (int i = 0; i < matrix.Rows; i++)
            for (int j = 0; j < size.Length; j++) size[j] += matrix[i, first + j] * matrix[i, first + j];
    }
}
