using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>Which change of the outputs the adjoint weighs.</summary>
public enum AdjointMetric
{
    /// <summary>Every output alike: v ~ N(0, I).</summary>
    Identity,

    /// <summary>By the Fisher information of the softmax: v ~ N(0, diag(p) - p p^T). Of a regression the identity.</summary>
    Fisher,
}

/// <summary>What the hidden states of one recurrence (or the outputs of an embedding) look like over a calibration set.</summary>
/// <param name="SecondMoments">Uncentred second moments and mean, every step alike; padding does not count.</param>
/// <param name="TimeWeighted">S_w = sum_t w_t S_t / sum_t w_t with the weights given to the collection; the plain ones where none were given.</param>
public sealed record StateStatistics(SecondMoments SecondMoments, Matrix TimeWeighted)
{
    /// <summary>Mean of h [m], every step alike.</summary>
    public double[] Mean => SecondMoments.MeanState();
}

/// <summary>What errors in one recurrence's hidden states (or in an embedding's outputs) do to the outputs (docs/method.md, section 5.1).</summary>
/// <param name="Matrix">G = mean over sequences, steps and probes of g_t g_t^T [m, m].</param>
/// <param name="StepWeights">w_t = mean ||g_t||^2 [T].</param>
public sealed record AdjointStatistics(Matrix Matrix, double[] StepWeights);
