namespace GpuSpectralRnn.Compute;

/// <summary>Operands of a draw of gates, of one count.</summary>
/// <param name="LogAlpha">log alpha.</param>
/// <param name="Seed">Key of the generator.</param>
/// <param name="Stream">Number of the stream; a different one for each set of gates and each minibatch.</param>
/// <param name="Gates">Receives z; may be log alpha.</param>
public readonly record struct GateSample(Tensor LogAlpha, ulong Seed, ulong Stream, Tensor Gates);

/// <summary>Operands of the backward pass of <see cref="IGateOps.Sample"/>, of one count; what is added to is apart from what is read.</summary>
/// <param name="Gates">z of the forward call; neither log alpha nor the random numbers are needed.</param>
/// <param name="GateGradient">dL/dz.</param>
/// <param name="LogAlphaGradient">dL/d log alpha; added to.</param>
public readonly record struct GateSampleBackward(Tensor Gates, Tensor GateGradient, Tensor LogAlphaGradient);

/// <summary>Operands of the backward pass of <see cref="IGateOps.OpenProbabilities"/>, of one count; what is added to is apart from what is read.</summary>
/// <param name="LogAlpha">log alpha of the forward call.</param>
/// <param name="ProbabilityGradient">dL/dp.</param>
/// <param name="LogAlphaGradient">dL/d log alpha; added to.</param>
public readonly record struct OpenProbabilitiesBackward(Tensor LogAlpha, Tensor ProbabilityGradient, Tensor LogAlphaGradient);

/// <summary>
/// Hard-concrete gates (Louizos, Welling, Kingma, ICLR 2018; docs/method.md, section 14) of one parameter log alpha each, with gamma = -0.1,
/// zeta = 1.1, beta = 2/3 and uniform numbers of [1e-6, 1 - 1e-6]. Gates and probabilities are the same bits on every device. A log alpha beyond -24..24
/// counts as the nearer end; NaN stays NaN. The expected number of weights between gated units is made of the probabilities by
/// <see cref="IMatrixOps.ColumnSums"/>, <see cref="IMatrixOps.ColumnDots"/> and <see cref="IElementwiseOps.AddMultiple"/>.
/// </summary>
public interface IGateOps
{
    /// <summary>
    /// z[i] = clip(s (zeta - gamma) + gamma, 0, 1), s = sigmoid((log u - log(1 - u) + log alpha[i]) / beta), u of word i of the stream.
    /// </summary>
    void Sample(GateSample operands);

    /// <summary>
    /// Backward of <see cref="Sample"/>: dL/d log alpha += dL/dz (z - gamma) (zeta - z) / (beta (zeta - gamma)) where 0 &lt; z &lt; 1.
    /// </summary>
    void SampleBackward(GateSampleBackward operands);

    /// <summary>
    /// z = clip(sigmoid(log alpha) (zeta - gamma) + gamma, 0, 1), the gates of a network that is tested or sliced: exactly 0 where log alpha is at most
    /// -log 11 = -2.3979, exactly 1 where it is at least log 11, and neither between. z may be log alpha.
    /// </summary>
    void TestGates(Tensor logAlpha, Tensor gates);

    /// <summary>p = P(z != 0) = sigmoid(log alpha - beta log(-gamma / zeta)) of sampled gates; p may be log alpha.</summary>
    void OpenProbabilities(Tensor logAlpha, Tensor probabilities);

    /// <summary>Backward of <see cref="OpenProbabilities"/>: dL/d log alpha += dL/dp p (1 - p).</summary>
    void OpenProbabilitiesBackward(OpenProbabilitiesBackward operands);

    /// <summary>Moves every log alpha into [log 1e-2, log 1e2], beyond which a gate would hardly come back.</summary>
    void Clamp(Tensor logAlpha);
}
