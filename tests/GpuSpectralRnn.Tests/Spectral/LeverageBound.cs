using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Tests.Spectral;

/// <summary>
/// The lemma of leverage-score sampling (Bach, JMLR 18 (15-178), 2017, Propositions 1 and 2, in this notation; derived for L_B): if the k units of J
/// are drawn independently with the probabilities q_j(lambda), tau_j = lambda k q_j, and k >= 5 N(lambda) log(16 N(lambda) / delta), then with
/// probability 1 - delta at least L_A(J) &lt;= 4 lambda N(lambda) and L_B(J) &lt;= 4 lambda Tr[W S (S + lambda I)^{-1} W^T]. The condition is
/// demanding: theory, not a rule for choosing k.
/// </summary>
internal static class LeverageBound
{
    /// <summary>The least k for which the lemma speaks: 5 N log(16 N / delta), rounded up.</summary>
    /// <param name="degreesOfFreedom">N(lambda), positive.</param>
    /// <param name="delta">The probability of failure, in (0, 1).</param>
    public static double LeastUnits(double degreesOfFreedom, double delta) =>
        Math.Max(1, Math.Ceiling(5 * degreesOfFreedom * Math.Log(16 * degreesOfFreedom / delta)));

    /// <summary>The bound on L_A: 4 lambda N(lambda).</summary>
    public static double InputLoss(double lambda, double degreesOfFreedom) => 4 * lambda * degreesOfFreedom;

    /// <summary>The bound on L_M for a criterion M (L_B: M = W^T W): 4 lambda Tr[M S (S + lambda I)^{-1}].</summary>
    /// <param name="lambda">Positive.</param>
    /// <param name="gram">S [m, m].</param>
    /// <param name="criterion">M [m, m].</param>
    public static double Loss(double lambda, Matrix gram, Matrix criterion)
    {
        Matrix shifted = gram.Clone();
        for (int i = 0; i < gram.Rows; i++) shifted[i, i] += lambda;
        Matrix smooth = (Cholesky.TryFactor(shifted) ?? throw Reconstruction.Singular(gram.Rows)).Solve(gram); // (S + lambda I)^{-1} S, symmetric
        return 4 * lambda * Matrix.Inner(criterion, smooth);
    }
}
