using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>The metric of the outputs in adjoint statistics (docs/method.md, section 5.2).</summary>
public enum AdjointMetric
{
    /// <summary>The identity: v ~ N(0, I).</summary>
    Identity,

    /// <summary>The Fisher information of the softmax: v ~ N(0, diag(p) - p p^T). The identity for a regression.</summary>
    Fisher,
}

/// <summary>
/// Moments of the units of one prunable axis (the hidden states of a recurrence, or the outputs of an embedding) over a calibration set.
/// </summary>
/// <param name="SecondMoments">Uncentred second moments and mean with equal weights for all steps, padding excluded.</param>
/// <param name="TimeWeighted">
/// S_w = sum_t w_t S_t / sum_t w_t with the weights given to the collection; the unweighted moments where none were given.
/// </param>
public sealed record StateStatistics(SecondMoments SecondMoments, Matrix TimeWeighted)
{
    /// <summary>Mean of h [m], with equal weights for all steps.</summary>
    public double[] Mean => SecondMoments.MeanState();
}

/// <summary>Sensitivity of the outputs to errors in the units of one prunable axis (docs/method.md, section 5.1).</summary>
/// <param name="Matrix">G = mean over sequences, steps and probes of g_t g_t^T [m, m].</param>
/// <param name="StepWeights">w_t = mean ||g_t||^2 [T].</param>
public sealed record AdjointStatistics(Matrix Matrix, double[] StepWeights);
