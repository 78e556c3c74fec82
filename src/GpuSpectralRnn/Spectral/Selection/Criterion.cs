using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// The objective of a selection as a positive semi-definite matrix M [m, m]: every loss of spectral pruning is L_M(J) = Tr(M R_J) with R_J the
/// residual of the kept set J (docs/method.md, section 2.2). The input loss L_A has M = I, the output loss L_B has M = W^T W, the adjoint-weighted
/// loss L_G has M = G; sums of losses are sums of matrices.
/// </summary>
public static class Criterion
{
    /// <summary>L_A: M = I.</summary>
    public static Matrix Input(int units) => Matrix.Identity(units);

    /// <summary>L_B: M = W^T W for the consumers' rows W [r, m].</summary>
    public static Matrix Output(Matrix consumers) => Matrix.Product(consumers, consumers, transposeA: true);

    /// <summary>
    /// The weighted sum of losses, each divided by its value for the empty set, Tr(M S), so that the weights are dimensionless. A loss that is zero
    /// for every set is left out.
    /// </summary>
    public static Matrix Normalised(Matrix gram, params ReadOnlySpan<(double Share, Matrix Criterion)> terms)
    {
        Matrix sum = new(gram.Rows, gram.Columns);
        foreach ((double share, Matrix criterion) in terms)
        {
            double whole = Matrix.Inner(criterion, gram);
            if (share != 0 && whole > 0) sum += share / whole * criterion;
        }

        return sum;
    }

    /// <summary>
    /// The paper's objective theta L_A + (1 - theta) L_B (Furuya et al., AISTATS 2022; provenance in docs/method.md, section 1.1), each loss divided
    /// by its value for the empty set.
    /// </summary>
    /// <param name="gram">S [m, m].</param>
    /// <param name="consumers">W [r, m], the rows that read the units.</param>
    /// <param name="theta">Between 0 (output only) and 1 (input only).</param>
    /// <exception cref="InvalidCallException">theta lies outside [0, 1].</exception>
    public static Matrix Paper(Matrix gram, Matrix consumers, double theta)
    {
        if (!(theta >= 0 && theta <= 1)) throw new InvalidCallException($"`theta` {theta} lies outside 0 to 1.");
        return Normalised(gram, (theta, Input(gram.Rows)), (1 - theta, Output(consumers)));
    }
}
