using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// The eigenvalues mu_1 >= mu_2 >= ... of a Gram matrix S = U diag(mu) U^T, and the numbers of units that follow from them (docs/method.md, sections
/// 4.1 and 4.2; Bach, JMLR 18, 2017).
/// </summary>
public sealed class Spectrum
{
    private readonly Matrix vectors;

    private Spectrum(double[] eigenvalues, Matrix vectors) => (Eigenvalues, this.vectors) = (eigenvalues, vectors);

    /// <summary>mu, descending; values below 8 m eps mu_1, the rounding errors of zeros, are set to zero.</summary>
    public IReadOnlyList<double> Eigenvalues { get; }

    /// <summary>Tr S.</summary>
    public double Trace => Eigenvalues.Sum();

    /// <summary>m, the number of units.</summary>
    public int Units => Eigenvalues.Count;

    /// <summary>Decomposes S.</summary>
    /// <exception cref="RunFailedException">S holds NaN or infinity.</exception>
    public static Spectrum Compute(Matrix gram)
    {
        SymmetricEigen eigen = SymmetricEigen.Compute(gram);
        double least = eigen.Values.Length == 0 ? 0 : 8 * eigen.Values.Length * Float64Gemm.Epsilon * eigen.Values[0];
        return new Spectrum(Array.ConvertAll(eigen.Values, mu => mu > least ? mu : 0), eigen.Vectors);
    }

    /// <summary>N(lambda) = Tr[S (S + lambda I)^{-1}] = sum_j mu_j / (mu_j + lambda), the degrees of freedom; N(0) is the rank.</summary>
    /// <exception cref="InvalidCallException">lambda is negative or not a number.</exception>
    public double DegreesOfFreedom(double lambda)
    {
        CheckLambda(lambda);
        return Eigenvalues.Sum(mu => Share(mu, lambda));
    }

    /// <summary>
    /// Leverage scores q_j = [S (S + lambda I)^{-1}]_jj / N(lambda) [m]; they sum to 1. Those of a Gram matrix of zeros are all 1/m.
    /// </summary>
    /// <exception cref="InvalidCallException">lambda is negative or not a number.</exception>
    public double[] Leverage(double lambda)
    {
        double whole = DegreesOfFreedom(lambda);
        double[] scores = new double[Units];
        for (int j = 0; j < Units; j++)
        {
            double score = 0;
            for (int l = 0; l < Units; l++) score += vectors[j, l] * vectors[j, l] * Share(Eigenvalues[l], lambda);
            scores[j] = whole > 0 ? score / whole : 1.0 / Units;
        }

        return scores;
    }

    /// <summary>
    /// What no k units can come below: sum_{i>k} sigma_i^2 for k = 0 to m, sigma the singular values of G^{1/2} S^{1/2}; it is the least Tr(G R) of any
    /// reconstruction of rank k, so that whole units mostly stand well above it.
    /// </summary>
    /// <param name="criterion">G [m, m], positive semi-definite.</param>
    public double[] RankBound(Matrix criterion)
    {
        Matrix root = vectors.Clone(); // U diag(mu)^{1/2}
        for (int i = 0; i < Units; i++)
            for (int j = 0; j < Units; j++) root[i, j] *= Math.Sqrt(Eigenvalues[j]);
        double[] squares = SymmetricEigen.Compute(Matrix.Product(root, criterion * root, transposeA: true)).Values;
        double[] bound = new double[Units + 1];
        for (int k = Units - 1; k >= 0; k--) bound[k] = bound[k + 1] + Math.Max(0, squares[k]);
        return bound;
    }

    /// <summary>The smallest k whose k largest eigenvalues sum to the given fraction of the trace; at least 1.</summary>
    /// <exception cref="InvalidCallException">The share lies outside (0, 1].</exception>
    public int UnitsForTrace(double trace)
    {
        if (!(trace > 0 && trace <= 1))
            throw new InvalidCallException($"`trace` {trace} is not a share; give more than 0 and at most 1, for example 0.99.");

        // The tails are summed from the small end, so that a share of 1 means every eigenvalue that is not zero.
        double tail = 0, allowed = (1 - trace) * Trace;
        int units = Units;
        while (units > 1 && tail + Eigenvalues[units - 1] <= allowed) tail += Eigenvalues[--units];
        return units;
    }

    /// <summary>N(lambda), rounded up; at least 1.</summary>
    /// <exception cref="InvalidCallException">lambda is negative or not a number.</exception>
    public int UnitsForLambda(double lambda) => Math.Clamp((int)Math.Ceiling(DegreesOfFreedom(lambda)), 1, Math.Max(1, Units));

    private static double Share(double mu, double lambda) => mu == 0 ? 0 : mu / (mu + lambda);

    private static void CheckLambda(double lambda)
    {
        if (!(lambda >= 0)) throw new InvalidCallException($"`lambda` {lambda} is not a number of zero or more.");
    }
}
