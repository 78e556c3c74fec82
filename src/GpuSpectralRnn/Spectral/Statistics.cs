namespace GpuSpectralRnn.Spectral;

/// <summary>Which change of the outputs the adjoint weighs.</summary>
public enum AdjointMetric
{
    /// <summary>Every output alike: v ~ N(0, I).</summary>
    Identity,

    /// <summary>By the Fisher information of the softmax: v ~ N(0, diag(p) - p p^T). Of a regression the identity.</summary>
    Fisher,
}

/// <summary>What the hidden states of one recurrence look like over a calibration set.</summary>
/// <param name="Covariance">Uncentred second moments, every step alike.</param>
/// <param name="TimeWeighted">S_w = sum_t w_t S_t / sum_t w_t with the weights given to the collection; the plain ones where none were given.</param>
/// <param name="Mean">Mean of h [m], every step alike.</param>
public sealed record StateStatistics(Covariance Covariance, Matrix TimeWeighted, double[] Mean);

/// <summary>What errors in one recurrence's hidden states do to the outputs (spectral pruning, section 8).</summary>
/// <param name="Matrix">G = mean over sequences, steps and probes of g_t g_t^T [m, m].</param>
/// <param name="StepWeights">w_t = mean ||g_t||^2 [T].</param>
public sealed record AdjointStatistics(Matrix Matrix, double[] StepWeights);
