namespace GpuSpectralRnn.Compute;

/// <summary>The recurrences the backends compute.</summary>
public enum CellKind
{
    /// <summary>Elman: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).</summary>
    RnnTanh,

    /// <summary>Elman with ReLU; also the IRNN, which differs only in how it starts.</summary>
    RnnRelu,
}

/// <summary>Extents of one recurrent layer's work.</summary>
/// <param name="Cell">Which recurrence.</param>
/// <param name="Steps">T, one or more.</param>
/// <param name="Batch">B, one or more.</param>
/// <param name="Inputs">I, one or more.</param>
/// <param name="Hidden">H, one or more.</param>
public readonly record struct RecurrentShape(CellKind Cell, int Steps, int Batch, int Inputs, int Hidden);

/// <summary>A layer's weights, or the gradients of them, in PyTorch's layout (gate blocks stacked in the first dimension; Elman has one).</summary>
/// <param name="InputWeights">weight_ih [G*H, I].</param>
/// <param name="HiddenWeights">weight_hh [G*H, H].</param>
/// <param name="InputBias">bias_ih [G*H].</param>
/// <param name="HiddenBias">bias_hh [G*H].</param>
public sealed record RecurrentWeights(Tensor InputWeights, Tensor HiddenWeights, Tensor InputBias, Tensor HiddenBias);

/// <summary>What a backend keeps for one recurrent layer between calls: scratch memory, packed weights. The caller owns it.</summary>
public abstract class RecurrentWorkspace(RecurrentShape shape, bool isTraining) : IDisposable
{
    /// <summary>The work it was made for.</summary>
    public RecurrentShape Shape { get; } = shape;

    /// <summary>Whether it can serve <see cref="IRecurrentOps.Backward"/>.</summary>
    public bool IsTraining { get; } = isTraining;

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A recurrent layer over a whole sequence, forward and backward.</summary>
public interface IRecurrentOps
{
    /// <summary>Makes the workspace for layers of one shape; everything that can be allocated or compiled beforehand is.</summary>
    RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining);

    /// <summary>
    /// Runs all steps. input [T, B, I], initial h_0 [B, H] (zero where null), output: the hidden states h_1..h_T as [T, B, H].
    /// </summary>
    void Forward(RecurrentWorkspace workspace, RecurrentWeights weights, Tensor input, Tensor? initial, Tensor output);

    /// <summary>
    /// Backpropagation through time for the last <see cref="Forward"/> on this workspace with the same tensors.
    /// </summary>
    /// <param name="workspace">The workspace of the forward call; made for training.</param>
    /// <param name="weights">The weights of the forward call.</param>
    /// <param name="input">[T, B, I].</param>
    /// <param name="initial">h_0 [B, H], or null for zero.</param>
    /// <param name="output">The hidden states of the forward call, [T, B, H].</param>
    /// <param name="outputGradient">dL/dh [T, B, H]. Its content is used up: it holds the pre-activation gradients (Elman) or nothing defined afterwards.</param>
    /// <param name="gradientFrom">Steps before this one (0-based) have no output gradient: their rows of <paramref name="outputGradient"/> are not read.</param>
    /// <param name="gradients">Receives the weight gradients, added to what is there.</param>
    /// <param name="inputGradient">Receives dL/dx [T, B, I] (overwritten), where wanted.</param>
    /// <param name="initialGradient">Receives dL/dh_0 [B, H] (overwritten), where wanted.</param>
    void Backward(
        RecurrentWorkspace workspace,
        RecurrentWeights weights,
        Tensor input,
        Tensor? initial,
        Tensor output,
        Tensor outputGradient,
        int gradientFrom,
        RecurrentWeights gradients,
        Tensor? inputGradient,
        Tensor? initialGradient);
}
