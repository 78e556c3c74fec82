namespace GpuSpectralRnn.Compute;

/// <summary>Sums over a number of loss calls.</summary>
/// <param name="Loss">Sum of the rows' losses, accumulated in double precision or as a compensated pair of singles.</param>
/// <param name="Correct">Rows whose largest logit (the first of equals) is the label's; 0 for regression.</param>
/// <param name="Rows">Rows that counted.</param>
/// <param name="Calls">Loss calls since the last reset.</param>
/// <param name="FirstBadCall">0-based number of the first call whose sum was not finite, or -1.</param>
public readonly record struct LossSums(double Loss, long Correct, long Rows, long Calls, long FirstBadCall);

/// <summary>Sums kept on the device until they are read, so that a training step does not synchronise.</summary>
public abstract class LossTotals : IDisposable
{
    /// <summary>Waits for the device and reads the sums.</summary>
    public abstract LossSums Read();

    /// <summary>Sets the sums to zero.</summary>
    public abstract void Reset();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Operands of a loss over rows.</summary>
/// <param name="Outputs">Logits [N, C] or predictions [N, D].</param>
/// <param name="Targets">Labels Int32 [N], logits [N, C] or values [N, D]: see the loss.</param>
/// <param name="Scale">Factor on the gradient, for example 1/N for the mean.</param>
/// <param name="Gradient">Receives the gradient with respect to the outputs, of their shape; may be the outputs themselves. Null: not wanted.</param>
/// <param name="Totals">What the losses are added to.</param>
public readonly record struct LossOperands(Tensor Outputs, Tensor Targets, float Scale, Tensor? Gradient, LossTotals Totals);

/// <summary>Operands of Fisher directions.</summary>
/// <param name="Logits">[N, C]; overwritten.</param>
/// <param name="Normals">z [N, C], independent standard normal numbers.</param>
public readonly record struct FisherOperands(Tensor Logits, Tensor Normals);

/// <summary>Losses with their gradients.</summary>
/// <exception cref="ArgumentException">Shapes or types do not fit, or operands share memory that must not.</exception>
/// <exception cref="InvalidOperationException">The totals belong to another backend.</exception>
public interface ILossOps
{
    /// <summary>Makes empty totals; the caller owns them.</summary>
    LossTotals CreateTotals();

    /// <summary>
    /// Softmax cross-entropy per row, -log softmax(logits)[label]; the gradient is scale (softmax(logits) - onehot(label)). Labels are -1 or in
    /// 0..C-1; a row with the label -1 has no loss, no gradient and is not counted.
    /// </summary>
    /// <exception cref="InvalidCallException">A label is C or more (host only; on devices the loss becomes NaN).</exception>
    void SoftmaxCrossEntropy(LossOperands operands);

    /// <summary>
    /// Divergence of two softmaxes per row, KL(p || q) = sum_c p_c (log p_c - log q_c) with p = softmax(targets) and q = softmax(outputs); the
    /// gradient is scale (q - p). A row counts as correct where p and q have their largest value (the first of equals) in the same class.
    /// </summary>
    void SoftmaxDivergence(LossOperands operands);

    /// <summary>Mean squared error per row, (1/D) sum_d (output - target)^2; the gradient is scale (2/D) (output - target).</summary>
    void MeanSquaredError(LossOperands operands);

    /// <summary>
    /// Replaces each row of logits by a sample u of N(0, diag(p) - p p^T), the Fisher metric of p = softmax(logits): u = diag(s) z - p (s . z) with
    /// s = sqrt(p).
    /// </summary>
    void FisherDirections(FisherOperands operands);
}
