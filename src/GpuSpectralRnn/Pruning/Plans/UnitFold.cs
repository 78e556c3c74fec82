using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>How consumers read the kept units in place of all: by reconstruction, with an intercept where wanted, or not at all.</summary>
internal static class UnitFold
{
    /// <summary>A layer's plan for the units J, reconstructed by S.</summary>
    /// <param name="gram">S [m, m].</param>
    /// <param name="relativeRidge">Ridge over Tr S / m.</param>
    /// <param name="kept">J, ascending.</param>
    public static UnitPlan Reconstructed(Matrix gram, double relativeRidge, int[] kept) => new()
    {
        Units = gram.Rows,
        Kept = kept,
        Fold = Reconstruction.Compute(gram, Ridge.Uniform(gram, relativeRidge), kept),
    };

    /// <summary>The affine fold h ~ A h_J + c: A from the covariance S - mean mean^T, c = mean - A mean_J.</summary>
    public static UnitPlan Affine(Matrix centred, double[] mean, double relativeRidge, int[] kept)
    {
        Matrix fold = Reconstruction.Compute(centred, Ridge.Uniform(centred, relativeRidge), kept);
        double[] offset = [.. mean];
        for (int i = 0; i < offset.Length; i++)
            for (int j = 0; j < kept.Length; j++) offset[i] -= fold[i, j] * mean[kept[j]];
        return new UnitPlan { Units = centred.Rows, Kept = kept, Fold = fold, Offset = offset };
    }

    /// <summary>The kept units as they are.</summary>
    public static UnitPlan None(int units, int[] kept) => new() { Units = units, Kept = kept };
}
