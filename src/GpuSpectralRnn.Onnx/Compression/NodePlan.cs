using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// The compression of a recurrent node: for each direction the kept units, the weights, and the reconstruction of the dropped units.
/// </summary>
/// <param name="Kept">J for each direction, ascending; as many in each.</param>
/// <param name="Restore">A [H, k] for each direction, behind Y and Y_h; its rows J are unit vectors.</param>
/// <param name="Small">The weights of the node with k units.</param>
internal sealed record NodePlan(int[][] Kept, Matrix[] Restore, NodeWeights Small)
{
    /// <summary>k, the kept units of a direction.</summary>
    public int Units => Kept[0].Length;

    /// <summary>D, the number of directions.</summary>
    public int Directions => Kept.Length;

    /// <summary>H, the units of a direction before compression.</summary>
    public int Hidden => Restore[0].Rows;

    /// <summary>E_J [H, k] for each direction: kept units in their places, zeros elsewhere.</summary>
    public Matrix[] Selection => [.. Kept.Select(kept => Matrix.Identity(Hidden).SelectColumns(kept))];

    /// <summary>Whether dropped units are restored as zero.</summary>
    public bool IsSelection => IsZeroElsewhere(Restore, Kept);

    /// <summary>
    /// A_J from second moments, its rows J set to unit vectors: a kept unit is restored exactly, so that a state that is carried to the next call is
    /// exact.
    /// </summary>
    public static Matrix[] Fold(Matrix[] grams, double[][] ridges, int[][] kept)
    {
        Matrix[] folds = new Matrix[grams.Length];
        for (int d = 0; d < grams.Length; d++)
        {
            folds[d] = Reconstruction.Compute(grams[d], ridges[d], kept[d]);
            KeepUnits(folds[d], kept[d]);
        }

        return folds;
    }

    /// <summary>The node cut to the kept units, R_J A_J in every gate.</summary>
    /// <param name="weights">Of H units.</param>
    /// <param name="kept">J for each direction.</param>
    /// <param name="fold">A_J [H, k] for each direction.</param>
    public static NodePlan Create(NodeWeights weights, int[][] kept, Matrix[] fold) => new(kept, fold, new NodeWeights(
        weights.Gates, Rows(weights.Input, kept, weights.Hidden, weights.Gates), Recurrent(weights, kept, fold),
        weights.Bias is { } bias ? Rows(bias, kept, weights.Hidden, 2 * weights.Gates) : null,
        weights.Peephole is { } peephole ? Rows(peephole, kept, weights.Hidden, 3) : null));

    /// <summary>Sets the rows J of A to unit vectors.</summary>
    public static void KeepUnits(Matrix fold, int[] kept)
    {
        for (int i = 0; i < kept.Length; i++)
        {
            fold.Row(kept[i]).Clear();
            fold[kept[i], i] = 1;
        }
    }

    private static bool IsZeroElsewhere(Matrix[] folds, int[][] kept) => folds.Select((fold, d) =>
        Enumerable.Range(0, fold.Rows).Except(kept[d]).All(row => !fold.Row(row).ContainsAnyExcept(0.0))).All(zero => zero);

    // The rows of the kept units, block by block, of [D, blocks H, ...].
    private static Constant Rows(Constant constant, int[][] kept, int hidden, int blocks)
    {
        int directions = kept.Length, units = kept[0].Length, row = constant.Values.Length / (directions * blocks * hidden), at = 0;
        float[] values = new float[directions * blocks * units * row];
        for (int d = 0; d < directions; d++)
        {
            for (int block = 0; block < blocks; block++)
            {
                foreach (int unit in kept[d])
                {
                    int first = ((d * blocks + block) * hidden + unit) * row;
                    constant.Values.AsSpan(first, row).CopyTo(values.AsSpan(at));
                    at += row;
                }
            }
        }

        return new Constant([directions, blocks * units, .. constant.Extents.Skip(2)], values);
    }

    // R_J A_J of every gate.
    private static Constant Recurrent(NodeWeights weights, int[][] kept, Matrix[] fold)
    {
        List<float> values = [];
        for (int d = 0; d < kept.Length; d++)
        {
            int[] rows = [.. Enumerable.Range(0, weights.Gates).SelectMany(gate => kept[d].Select(unit => gate * weights.Hidden + unit))];
            values.AddRange((weights.RecurrentOf(d).SelectRows(rows) * fold[d]).ToSingle());
        }

        return new Constant([kept.Length, weights.Gates * kept[0].Length, kept[0].Length], [.. values]);
    }
}
