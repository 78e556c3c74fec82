namespace GpuSpectralRnn.Compute;

/// <summary>Extents of one recurrent layer's work.</summary>
/// <param name="Cell">Which recurrence.</param>
/// <param name="Steps">T, one or more.</param>
/// <param name="Batch">B, one or more.</param>
/// <param name="Inputs">I, one or more.</param>
/// <param name="Hidden">H, one or more.</param>
public readonly record struct RecurrentShape(CellKind Cell, int Steps, int Batch, int Inputs, int Hidden)
{
    /// <summary>Whether the layer walks from the last step to the first. Inputs and outputs stand at their own steps all the same.</summary>
    public bool IsReverse { get; init; }

    /// <summary>G*H, rows of the weight matrices.</summary>
    public int GateRows => Spec.Gates * Hidden;

    /// <summary>What is to be known of the cell.</summary>
    public CellSpec Spec => CellSpec.From(Cell);
}

/// <summary>A layer's weights, or the gradients of them, in PyTorch's layout (gate blocks stacked in the first dimension; Elman has one).</summary>
/// <param name="InputWeights">weight_ih [G*H, I].</param>
/// <param name="HiddenWeights">weight_hh [G*H, H].</param>
/// <param name="InputBias">bias_ih [G*H].</param>
/// <param name="HiddenBias">bias_hh [G*H].</param>
/// <param name="Peepholes">[3H], of cells that have them alone (<see cref="CellSpec.HasPeepholes"/>).</param>
public sealed record RecurrentWeights(Tensor InputWeights, Tensor HiddenWeights, Tensor InputBias, Tensor HiddenBias, Tensor? Peepholes = null);

/// <summary>The state a layer starts from or ends with, or the gradient of it.</summary>
/// <param name="Hidden">h [B, H].</param>
/// <param name="Cell">c [B, H], with cells that have one only (<see cref="CellSpec.HasCellState"/>); null means zero where it is read and not wanted where it is written.</param>
public sealed record RecurrentState(Tensor Hidden, Tensor? Cell = null);

/// <summary>What a backend keeps for one recurrent layer between calls: scratch memory, packed weights. The caller owns it.</summary>
public abstract class RecurrentWorkspace(RecurrentShape shape, bool isTraining) : IDisposable
{
    /// <summary>The work it was made for.</summary>
    public RecurrentShape Shape { get; } = shape;

    /// <summary>Whether it can serve <see cref="IRecurrentOps.Backward"/>.</summary>
    public bool IsTraining { get; } = isTraining;

    /// <summary>
    /// Where the backend keeps the hidden states [T, B, H] in any case: may be the output of forward calls without lengths, which saves a copy. Null
    /// where there is no such place.
    /// </summary>
    public virtual Tensor? Outputs => null;

    /// <summary>
    /// After <see cref="IRecurrentOps.Backward"/> and until the next call: dL/d(W_hh h_{t-1} + b_hh) [T, B, G*H], each step's at its own place and
    /// zero beyond a sequence's length; null before. For Elman this is the output gradient that was used up. What a block of W_hh multiplies is h_{t-1}
    /// but for the block n of <see cref="CellKind.GruResetBefore"/>, which multiplies r h_{t-1}: its gradient is dL/d(W_hn (r h_{t-1}) + b_hn).
    /// </summary>
    public virtual Tensor? ProductGradient { get; internal set; }

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>
/// Memory that the workspaces of one layer share, for several shapes. Only the workspace that went forward last can go backward.
/// </summary>
public abstract class RecurrentMemory : IDisposable
{
    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Operands of a recurrent layer's forward pass.</summary>
/// <param name="Workspace">From <see cref="IRecurrentOps.Prepare"/>.</param>
/// <param name="Weights">The layer's weights.</param>
/// <param name="Input">[T, B, I]; finite numbers beyond a sequence's length too.</param>
/// <param name="Initial">The state before the first step walked, or null for zero.</param>
/// <param name="Output">Receives the hidden states of all steps [T, B, H]; zero beyond a sequence's length.</param>
/// <param name="Final">Receives the state after the last step walked, where wanted; apart from <paramref name="Initial"/>.</param>
/// <param name="Lengths">
/// Int32 [B], each of 0..T (checked where the data enter, not here), or null for T: the steps beyond it do not move the state, as in PyTorch's packed
/// sequences. A reverse layer starts at the last valid step.
/// </param>
public readonly record struct RecurrentForward(
    RecurrentWorkspace Workspace,
    RecurrentWeights Weights,
    Tensor Input,
    RecurrentState? Initial,
    Tensor Output,
    RecurrentState? Final = null,
    Tensor? Lengths = null);

/// <summary>Operands of a recurrent layer's backward pass.</summary>
/// <param name="Workspace">The workspace of the forward call; made for training.</param>
/// <param name="Weights">The weights of the forward call.</param>
/// <param name="Input">[T, B, I].</param>
/// <param name="Initial">The initial state of the forward call, or null for zero.</param>
/// <param name="Output">The hidden states of the forward call, [T, B, H].</param>
/// <param name="OutputGradient">
/// dL/dh [T, B, H]; not read beyond a sequence's length. Its content is used up: it holds the pre-activation gradients (Elman) or nothing defined
/// afterwards.
/// </param>
/// <param name="GradientFrom">
/// The steps walked before this one (0-based, in the order of walking) have no output gradient: their rows of <paramref name="OutputGradient"/> are
/// not read.
/// </param>
/// <param name="Gradients">Receives the weight gradients, added to what is there.</param>
/// <param name="InputGradient">Receives dL/dx [T, B, I] (overwritten), where wanted; zero beyond a sequence's length.</param>
/// <param name="InitialGradient">Receives the gradient of the initial state (overwritten), where wanted.</param>
/// <param name="Lengths">The lengths of the forward call.</param>
public readonly record struct RecurrentBackward(
    RecurrentWorkspace Workspace,
    RecurrentWeights Weights,
    Tensor Input,
    RecurrentState? Initial,
    Tensor Output,
    Tensor OutputGradient,
    int GradientFrom,
    RecurrentWeights Gradients,
    Tensor? InputGradient,
    RecurrentState? InitialGradient,
    Tensor? Lengths = null);

/// <summary>A recurrent layer over a whole sequence, forward and backward.</summary>
public interface IRecurrentOps
{
    /// <summary>
    /// Takes memory for workspaces of up to so many steps times sequences; null where the backend's workspaces have their own in any case.
    /// </summary>
    /// <param name="cell">The cell.</param>
    /// <param name="hidden">H.</param>
    /// <param name="cells">The most steps times sequences of a workspace.</param>
    /// <param name="batch">The most sequences of a workspace.</param>
    /// <param name="isTraining">Whether any of them is for training.</param>
    /// <returns>The caller owns it; it outlives the workspaces.</returns>
    RecurrentMemory? Reserve(CellKind cell, int hidden, long cells, int batch, bool isTraining) => null;

    /// <summary>Makes the workspace for layers of one shape; everything that can be allocated or compiled beforehand is.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="isTraining">Whether <see cref="Backward"/> will follow.</param>
    /// <param name="memory">From <see cref="Reserve"/>, large enough; null for memory of its own.</param>
    RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining, RecurrentMemory? memory = null);

    /// <summary>Runs all steps, from the first to the last or the other way round (<see cref="RecurrentShape.IsReverse"/>).</summary>
    void Forward(RecurrentForward operands);

    /// <summary>
    /// Backpropagation through time for the last <see cref="Forward"/> on this workspace with the same tensors. Sets
    /// <see cref="RecurrentWorkspace.ProductGradient"/>. The final state has no gradient of its own: truncated backpropagation cuts there.
    /// </summary>
    void Backward(RecurrentBackward operands);
}
