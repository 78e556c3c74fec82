namespace GpuSpectralRnn.Spectral;

/// <summary>
/// How the error of a reconstruction grows through time in an Elman network (derived for this project, docs/method.md, section 9.1; not a theorem of
/// the paper). With rho the Lipschitz constant of the activation s (s(0) = 0), kappa = rho ||W^h#||_op and S_kappa = sum_{t=0}^{T-2} kappa^t: ||f -
/// f#|| &lt;= ||W^o (h - A h_J)|| + rho S_kappa ||W^o#||_op ||W^h_J (h - A h_J)||, all norms averaged over sequences and steps.
/// </summary>
/// <param name="Steps">T, one or more.</param>
/// <param name="Lipschitz">rho; 1 for ReLU and tanh.</param>
/// <param name="RecurrentNorm">||W^h#||_op of the compressed network.</param>
/// <param name="ReadoutNorm">||W^o#||_op of the compressed network.</param>
public sealed record TimeErrorBound(int Steps, double Lipschitz, double RecurrentNorm, double ReadoutNorm)
{
    /// <summary>rho S_kappa ||W^o#||_op: what one step's recurrent error does to the output in the end. Infinite where it overflows.</summary>
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

            // An error that is not fed on (T = 1, or a read-out of zeros) stays zero, whatever the powers do.
            return sum == 0 || ReadoutNorm == 0 ? 0 : Lipschitz * sum * ReadoutNorm;
        }
    }

    /// <summary>The bound from the two measured norms.</summary>
    /// <param name="readoutError">||W^o (h - A h_J)||_{n,T}.</param>
    /// <param name="recurrentError">||W^h_J (h - A h_J)||_{n,T}.</param>
    public double FromErrors(double readoutError, double recurrentError) => readoutError + (recurrentError == 0 ? 0 : Amplification * recurrentError);
}
