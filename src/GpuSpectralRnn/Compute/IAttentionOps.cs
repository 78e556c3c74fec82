namespace GpuSpectralRnn.Compute;

/// <summary>Operands of the backward pass of <see cref="IAttentionOps.SoftmaxOverSteps"/>.</summary>
/// <param name="Output">y of the forward call, [T, B].</param>
/// <param name="OutputGradient">dL/dy [T, B]; not read beyond a sequence's length.</param>
/// <param name="InputGradient">
/// Receives dL/dx [T, B] (overwritten); zero beyond a sequence's length. May be <paramref name="OutputGradient"/>.
/// </param>
/// <param name="Lengths">The lengths of the forward call.</param>
public readonly record struct SoftmaxOverStepsBackward(Tensor Output, Tensor OutputGradient, Tensor InputGradient, Tensor? Lengths = null);

/// <summary>Extents of an attention between a context and a question.</summary>
/// <param name="ContextSteps">T, one or more.</param>
/// <param name="QuestionSteps">J, one or more.</param>
/// <param name="Batch">B, one or more.</param>
/// <param name="Width">F, the width of both, one or more.</param>
public readonly record struct AttentionShape(int ContextSteps, int QuestionSteps, int Batch, int Width)
{
    /// <summary>
    /// Numbers of workspace: T B (J + 3) + B F, and with <paramref name="isTraining"/> T B (J + 2) + B F + J B (F + 1) more for the backward pass.
    /// </summary>
    public long WorkspaceFor(bool isTraining)
    {
        long cells = (long)ContextSteps * Batch, sums = (long)Batch * Width;
        long forward = cells * (QuestionSteps + 3) + sums;
        return isTraining ? forward + cells * (QuestionSteps + 2) + sums + (long)QuestionSteps * Batch * (Width + 1) : forward;
    }
}

/// <summary>Operands of the attention's forward pass.</summary>
/// <param name="Context">h [T, B, F]; finite numbers beyond a sequence's length too.</param>
/// <param name="Question">u [J, B, F]; finite numbers beyond a sequence's length too.</param>
/// <param name="Weights">[3 F]: w_h, then w_u, then w_hu.</param>
/// <param name="Output">Receives G [T, B, 4 F] (overwritten); zero beyond a context's length.</param>
/// <param name="Workspace">
/// Float32, at least <see cref="AttentionShape.WorkspaceFor"/> numbers, which the backward pass reads again. It begins with the attention weights a
/// [T, B, J] and b [T, B], zero beyond the lengths.
/// </param>
/// <param name="ContextLengths">Int32 [B], each of 0..T, or null for T.</param>
/// <param name="QuestionLengths">Int32 [B], each of 0..J, or null for J.</param>
public readonly record struct AttentionForward(
    Tensor Context,
    Tensor Question,
    Tensor Weights,
    Tensor Output,
    Tensor Workspace,
    Tensor? ContextLengths = null,
    Tensor? QuestionLengths = null);

/// <summary>Operands of the attention's backward pass.</summary>
/// <param name="Forward">The operands of the forward call, unchanged, its output and workspace among them; the workspace is one for training.</param>
/// <param name="OutputGradient">dL/dG [T, B, 4 F]; not read beyond a context's length.</param>
/// <param name="ContextGradient">Receives dL/dh [T, B, F] (overwritten); zero beyond a context's length.</param>
/// <param name="QuestionGradient">Receives dL/du [J, B, F] (overwritten); zero beyond a question's length.</param>
/// <param name="WeightGradient">Receives dL/dw [3 F], added to what is there.</param>
public readonly record struct AttentionBackward(
    AttentionForward Forward, Tensor OutputGradient, Tensor ContextGradient, Tensor QuestionGradient, Tensor WeightGradient);

/// <summary>Softmax over time, and the attention of two sequences to each other. Sequences are time-major; their lengths are Int32 [B].</summary>
public interface IAttentionOps
{
    /// <summary>
    /// y[t, b] = exp(x[t, b] - m_b) / sum_{s below L_b} exp(x[s, b] - m_b) with m_b the largest x[s, b], for t below L_b; zero beyond: all zeros for
    /// a length of 0.
    /// </summary>
    /// <param name="x">[T, B]; not read beyond a sequence's length.</param>
    /// <param name="y">[T, B]; may be x.</param>
    /// <param name="lengths">Int32 [B], each of 0..T, or null for T.</param>
    void SoftmaxOverSteps(Tensor x, Tensor y, Tensor? lengths = null);

    /// <summary>Backward of <see cref="SoftmaxOverSteps"/>: dL/dx[t, b] = y[t, b] (dL/dy[t, b] - sum_s y[s, b] dL/dy[s, b]).</summary>
    void SoftmaxOverStepsBackward(SoftmaxOverStepsBackward operands);
}
