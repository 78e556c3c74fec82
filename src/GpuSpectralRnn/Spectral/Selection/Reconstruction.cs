using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>Ridge reconstruction of all units from the kept ones, and its residual (docs/method.md, section 2.1).</summary>
public static class Reconstruction
{
    /// <summary>A_J = S_{:,J} (S_JJ + I_tau)^{-1} [m, k], the reconstruction h ~ A_J h_J.</summary>
    /// <param name="gram">S [m, m].</param>
    /// <param name="ridge">tau [m], one for each unit of the whole layer.</param>
    /// <param name="kept">J.</param>
    /// <exception cref="InvalidCallException">S_JJ + I_tau is singular.</exception>
    public static Matrix Compute(Matrix gram, double[] ridge, ReadOnlySpan<int> kept) =>
        FactorKept(gram, ridge, kept).Solve(gram.SelectRows(kept)).Transpose();

    /// <summary>
    /// R_J = S - S_{:,J} (S_JJ + I_tau)^{-1} S_{J,:} [m, m], the minimum over A of the mean of (h - A h_J)(h - A h_J)^T + A I_tau A^T.
    /// </summary>
    /// <exception cref="InvalidCallException">S_JJ + I_tau is singular.</exception>
    public static Matrix Residual(Matrix gram, double[] ridge, ReadOnlySpan<int> kept) => gram - Compute(gram, ridge, kept) * gram.SelectRows(kept);

    /// <summary>L_M(J) = Tr(M R_J), evaluated from the definition.</summary>
    /// <exception cref="InvalidCallException">S_JJ + I_tau is singular.</exception>
    public static double Loss(Matrix gram, double[] ridge, ReadOnlySpan<int> kept, Matrix criterion) =>
        Matrix.Inner(criterion, Residual(gram, ridge, kept));

    /// <summary>The Cholesky factorisation of S_JJ + I_tau.</summary>
    /// <exception cref="InvalidCallException">It is singular.</exception>
    internal static Cholesky FactorKept(Matrix gram, double[] ridge, ReadOnlySpan<int> kept)
    {
        Matrix block = gram.SelectPrincipal(kept);
        for (int i = 0; i < kept.Length; i++) block[i, i] += ridge[kept[i]];
        return Cholesky.TryFactor(block) ?? throw Singular(kept.Length);
    }

    /// <summary>The exception for a set of units with singular S_JJ + I_tau, with its remedy.</summary>
    internal static InvalidCallException Singular(int kept) => new(
        $"The Gram matrix of {kept} units is singular: some of them are copies or sums of others, or always zero. "
        + "Give a (larger) `ridge`, for example 1e-4, or keep fewer units.");
}
