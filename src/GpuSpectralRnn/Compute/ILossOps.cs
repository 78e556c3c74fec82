namespace GpuSpectralRnn.Compute;

/// <summary>What was summed up over a number of loss calls.</summary>
/// <param name="Loss">Sum of the rows' losses, accumulated in double precision or as a compensated pair of singles.</param>
/// <param name="Correct">Rows whose largest logit (the first of equals) is the label's; 0 for regression.</param>
/// <param name="Rows">Rows that counted.</param>
/// <param name="Calls">Loss calls since the last reset.</param>
/// <param name="FirstBadCall">0-based number of the first call whose sum was not finite, or -1.</param>
public readonly record struct LossSums(double Loss, long Correct, long Rows, long Calls, long FirstBadCall);

/// <summary>Sums that stay on the device until they are asked for, so that a training step needs no round trip.</summary>
public abstract class LossTotals : IDisposable
{
    /// <summary>Waits for the device and reads the sums.</summary>
    public abstract LossSums Read();

    /// <summary>Starts again from zero.</summary>
    public abstract void Reset();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Losses with their gradients.</summary>
public interface ILossOps
{
    /// <summary>Makes an empty account of losses; the caller owns it.</summary>
    LossTotals CreateTotals();

    /// <summary>
    /// Softmax cross-entropy per row: -log softmax(logits)[label]. logits [N, C], labels Int32 [N]; a row with the label -1 counts for nothing.
    /// </summary>
    /// <param name="logits">[N, C].</param>
    /// <param name="labels">Int32 [N], each -1 or in 0..C-1 (checked where the data enter, not here).</param>
    /// <param name="scale">Factor on the gradient, for example 1/N for the mean.</param>
    /// <param name="gradient">Receives scale (softmax - onehot) [N, C], where wanted; may be <paramref name="logits"/> itself.</param>
    /// <param name="totals">Receives the sums.</param>
    void SoftmaxCrossEntropy(Tensor logits, Tensor labels, float scale, Tensor? gradient, LossTotals totals);

    /// <summary>
    /// Divergence of two softmaxes per row: KL(p || q) = sum_c p_c (log p_c - log q_c) with p = softmax(targets), q = softmax(logits). A row is
    /// counted as correct where the largest of both (the first of equals) is the same class.
    /// </summary>
    /// <param name="logits">[N, C].</param>
    /// <param name="targets">Logits of the network to imitate, [N, C].</param>
    /// <param name="scale">Factor on the gradient, for example 1/N for the mean.</param>
    /// <param name="gradient">Receives scale (q - p) [N, C], where wanted; may be <paramref name="logits"/> itself.</param>
    /// <param name="totals">Receives the sums.</param>
    void SoftmaxDivergence(Tensor logits, Tensor targets, float scale, Tensor? gradient, LossTotals totals);

    /// <summary>
    /// Mean squared error per row: (1/D) sum_d (prediction - target)^2. predictions, targets [N, D]; the gradient is scale (2/D) (prediction -
    /// target) and may replace the predictions.
    /// </summary>
    void MeanSquaredError(Tensor predictions, Tensor targets, float scale, Tensor? gradient, LossTotals totals);

    /// <summary>
    /// Replaces each row of logits by a direction of N(0, diag(p) - p p^T), the Fisher metric of p = softmax(logits): u = diag(s) z - p (s . z) with
    /// s = sqrt(p).
    /// </summary>
    /// <param name="logits">[N, C]; becomes u.</param>
    /// <param name="normals">z [N, C], independent numbers of N(0, 1).</param>
    void FisherDirections(Tensor logits, Tensor normals);
}
