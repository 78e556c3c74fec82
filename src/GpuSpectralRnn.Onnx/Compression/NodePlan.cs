using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>What becomes of a recurrent node: for each direction the units that stay, and how the others are made of them.</summary>
/// <param name="Kept">J for each direction, ascending; as many in each.</param>
/// <param name="Fold">A_J [H, k] for each direction; its rows J are unit vectors.</param>
internal sealed record NodePlan(int[][] Kept, Matrix[] Fold)
{
    /// <summary>k.</summary>
    public int Units => Kept[0].Length;

    /// <summary>D.</summary>
    public int Directions => Kept.Length;

    /// <summary>H.</summary>
    public int Hidden => Fold[0].Rows;

    /// <summary>
    /// A_J from second moments, its rows J set to unit vectors: a unit that stays is itself, so that a state that goes out and comes back is exact.
    /// </summary>
    public static NodePlan Of(Matrix[] grams, double[][] ridges, int[][] kept)
    {
        Matrix[] folds = new Matrix[grams.Length];
        for (int d = 0; d < grams.Length; d++)
        {
            folds[d] = Reconstruction.Of(grams[d], ridges[d], kept[d]);
            for (int i = 0; i < kept[d].Length; i++)
            {
                folds[d].Row(kept[d][i]).Clear();
                folds[d][kept[d][i], i] = 1;
            }
        }

        return new NodePlan(kept, folds);
    }
}
