namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Bound on the growth of a reconstruction error through time in an Elman network (derived for this project, docs/method.md, section 9.1; not a
/// theorem of the paper). With rho the Lipschitz constant of the activation s (s(0) = 0), kappa = rho ||W^h#||_op and S_kappa = sum_{t=0}^{T-2}
/// kappa^t: ||f - f#|| &lt;= ||W^o (h - A h_J)|| + rho S_kappa ||W^o#||_op ||W^h_J (h - A h_J)||, vector norms being root mean squares over sequences
/// and steps.
/// </summary>
/// <param name="Steps">T, one or more.</param>
/// <param name="Lipschitz">rho; 1 for ReLU and tanh.</param>
/// <param name="RecurrentNorm">||W^h#||_op of the compressed network.</param>
/// <param name="ReadoutNorm">||W^o#||_op of the compressed network.</param>
public sealed record TimeErrorBound(int Steps, double Lipschitz, double RecurrentNorm, double ReadoutNorm)
{
    /// <summary>rho S_kappa ||W^o#||_op, the factor from the recurrent error to the error of the outputs. Infinite on overflow.</summary>
    public double Amplification
    {
        get
        {
            double kappa = Lipschitz * RecurrentNorm, power = 1, sum = 0;
            for (int t = 0; t < Steps - 1; t++)
            {
                sum += power;
                power *= kappa;
                if (power == 0 || double.IsInfinity(sum)) break;
            }

            // Without feedback (T = 1, or a read-out of zeros) the factor is zero, even where the powers overflow.
            return sum == 0 || ReadoutNorm == 0 ? 0 : Lipschitz * sum * ReadoutNorm;
        }
    }

    /// <summary>The bound from the two measured norms.</summary>
    /// <param name="readoutError">||W^o (h - A h_J)||_{n,T}.</param>
    /// <param name="recurrentError">||W^h_J (h - A h_J)||_{n,T}.</param>
    public double FromErrors(double readoutError, double recurrentError) => readoutError + (recurrentError == 0 ? 0 : Amplification * recurrentError);
}
