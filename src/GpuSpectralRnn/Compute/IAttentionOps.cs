namespace GpuSpectralRnn.Compute;

/// <summary>Operands of the backward pass of <see cref="IAttentionOps.SoftmaxOverSteps"/>.</summary>
/// <param name="Output">y of the forward call, [T, B].</param>
/// <param name="OutputGradient">dL/dy [T, B]; not read beyond a sequence's length.</param>
/// <param name="InputGradient">
/// Receives dL/dx [T, B] (overwritten); zero beyond a sequence's length. May be <paramref name="OutputGradient"/>.
/// </param>
/// <param name="Lengths">The lengths of the forward call.</param>
public readonly record struct SoftmaxOverStepsBackward(Tensor Output, Tensor OutputGradient, Tensor InputGradient, Tensor? Lengths = null);

/// <summary>A number for each step of sequences, in both orders, or the gradients of both.</summary>
/// <param name="Steps">Time-major, [T, B].</param>
/// <param name="Rows">A row for each sequence, [B, T].</param>
/// <param name="Lengths">L, Int32 [B] of 0..T; null where every length is T.</param>
public readonly record struct StepRowsOperands(Tensor Steps, Tensor Rows, Tensor? Lengths = null);

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
        AttentionLayout layout = new(this);
        return isTraining ? layout.End : layout.EndOfForward;
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

    /// <summary>
    /// rows[b, t] = steps[t, b] for t below L_b, else <see cref="GpuSpectralRnn.Kernels.StepRows.Masked"/>: logits of the step that is asked for,
    /// whose softmax over a row is one over the valid steps, so that losses of classes are losses of steps.
    /// </summary>
    void StepsToRows(StepRowsOperands operands);

    /// <summary>Backward of <see cref="StepsToRows"/>: steps[t, b] = rows[b, t] for t below L_b, else 0; overwrites the steps.</summary>
    void RowsToSteps(StepRowsOperands operands);

    /// <summary>
    /// Bidirectional attention flow (Seo, Kembhavi, Farhadi, Hajishirzi 2017), for each sequence of the batch by itself, t below the context's length
    /// and j below the question's:
    /// <code>
    /// S_tj = w_h . h_t + w_u . u_j + w_hu . (h_t * u_j)
    /// a_tj = softmax of S_tj over j,      v_t = sum_j a_tj u_j          what of the question matters to step t
    /// b_t  = softmax over t of max_j S_tj, c   = sum_t b_t h_t          what of the context matters to the question
    /// G_t  = [h_t ; v_t ; h_t * v_t ; h_t * c]
    /// </code>
    /// A question of length 0 has v_t = 0 and max_j S_tj = 0; a context of length 0 has c = 0.
    /// </summary>
    void Forward(AttentionForward operands);

    /// <summary>
    /// Backward of <see cref="Forward"/>. The gradient of a maximum goes to its first place. Needs output and workspace as the forward call left
    /// them; the order of the additions is fixed.
    /// </summary>
    void Backward(AttentionBackward operands);
}
