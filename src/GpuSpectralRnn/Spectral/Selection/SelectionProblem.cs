using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// The problem of selecting the units of a layer to keep, given by the Gram matrix S, the ridge tau and the criterion M. The loss of a set J is
/// L_M(J) = Tr(M R_J).
/// </summary>
public sealed class SelectionProblem
{
    /// <summary>Checks and stores the matrices.</summary>
    /// <param name="gram">S [m, m], symmetric, positive semi-definite.</param>
    /// <param name="ridge">tau [m], zero or more.</param>
    /// <param name="criterion">M [m, m], symmetric, positive semi-definite (<see cref="Spectral.Criterion"/>).</param>
    /// <exception cref="ArgumentException">The extents differ.</exception>
    /// <exception cref="RunFailedException">A matrix holds NaN or infinity.</exception>
    public SelectionProblem(Matrix gram, double[] ridge, Matrix criterion)
    {
        int m = gram.Rows;
        if (gram.Columns != m || criterion.Rows != m || criterion.Columns != m || ridge.Length != m)
        {
            throw new ArgumentException(
                $"The Gram {gram}, the criterion {criterion} and {ridge.Length} ridge weights do not fit together.", nameof(gram));
        }

        if (!gram.IsFinite() || !criterion.IsFinite() || !Array.TrueForAll(ridge, double.IsFinite))
            throw new RunFailedException("The Gram matrix or the criterion holds NaN or infinity; the model or the calibration data are broken.");
        (Gram, Ridge, Criterion) = (gram, ridge, criterion);
        WholeLoss = Matrix.Inner(criterion, gram);
    }

    /// <summary>m, the number of units.</summary>
    public int Units => Gram.Rows;

    /// <summary>S.</summary>
    public Matrix Gram { get; }

    /// <summary>tau.</summary>
    public double[] Ridge { get; }

    /// <summary>M.</summary>
    public Matrix Criterion { get; }

    /// <summary>The loss of the empty set, Tr(M S).</summary>
    public double WholeLoss { get; }

    /// <summary>L_M(J), evaluated from the definition.</summary>
    /// <exception cref="InvalidCallException">S_JJ + I_tau is singular.</exception>
    public double Loss(ReadOnlySpan<int> kept) => Reconstruction.Loss(Gram, Ridge, kept, Criterion);

    /// <summary>Checks the number of units to keep.</summary>
    /// <exception cref="InvalidCallException"><paramref name="keep"/> is not 1 to m.</exception>
    internal void CheckKeep(int keep)
    {
        if (keep < 1 || keep > Units) throw new InvalidCallException($"`keep` {keep} is impossible for a layer of {Units} units; give 1 to {Units}.");
    }
}
