using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>What the kernels of a recurrent layer read and write; G is the cell's number of gates. Each kernel uses some of them.</summary>
public struct RecurrentViews
{
    /// <summary>
    /// [T, B, G*H]. Forward: x_t W_ih^T, replaced by h_t (Elman) or the gates. Backward: the gates (Elman: dL/dh_t), replaced by the gradients of the
    /// pre-activations.
    /// </summary>
    public ArrayView<float> Gates;

    /// <summary>[T + 1, B, H]: h before and after each step, as <see cref="RecurrentStep"/> has it; the initial slot is filled.</summary>
    public ArrayView<float> States;

    /// <summary>[T + 1, B, H]: c before and after each step (LSTM).</summary>
    public ArrayView<float> CellStates;

    /// <summary>
    /// [T, B, 3H] (GRU): the gradient of h_{t-1} W_hh^T, which is not that of the pre-activations: r lies between. Its block n keeps the
    /// product itself in between. One element where the layer is not trained. For the GRU that resets before the product, its <see cref="ResetParts"/>.
    /// </summary>
    public ArrayView<float> ProductGradient;

    /// <summary>Forward: the results h_t [T, B, H], zero beyond a row's length (Elman has them in <see cref="Gates"/>).</summary>
    public ArrayView<float> Output;

    /// <summary>W_hh [G*H, H]; for kernels that want them otherwise, <see cref="RecurrentOperands.Arranged"/>.</summary>
    public ArrayView<float> Weights;

    /// <summary>b_ih [G*H].</summary>
    public ArrayView<float> InputBias;

    /// <summary>b_hh [G*H].</summary>
    public ArrayView<float> HiddenBias;

    /// <summary>[B]: how many steps each row has.</summary>
    public ArrayView<int> Lengths;

    /// <summary>Backward: dL/dh_t [T, B, H].</summary>
    public ArrayView<float> OutputGradient;

    /// <summary>Backward: [B, H], the part of dL/dh that goes to the step before without passing through the weights.</summary>
    public ArrayView<float> Carry;

    /// <summary>Backward: [B, H], dL/dc (LSTM).</summary>
    public ArrayView<float> CellCarry;

    /// <summary>[3H]: what i, f and o see of c (LSTM with peepholes).</summary>
    public ArrayView<float> Peepholes;

    /// <summary>Backward: [B, 3H], the sums over the steps of their gradients; no initial value is read (LSTM with peepholes).</summary>
    public ArrayView<float> PeepholeSums;

    /// <summary>A step's recurrent product [B, G*H], or backward [B, H], for cells that compute it in a launch of its own; they set it.</summary>
    public ArrayView<float> StepProducts;
}

/// <summary>A pass over all steps of a recurrent layer.</summary>
public readonly struct RecurrentOperands
{
    /// <summary>The order of the steps.</summary>
    public required RecurrentWalk Walk { get; init; }

    /// <summary>What the kernels read and write.</summary>
    public required RecurrentViews Views { get; init; }

    /// <summary>
    /// Room for <see cref="RecurrentCell.ArrangedCount"/> numbers: the weights as the cell's kernels like to read them, and what else they lay down.
    /// </summary>
    public required ArrayView<float> Arranged { get; init; }

    /// <summary>Forward: whether the initial h is zero.</summary>
    public bool StartsAtZero { get; init; }

    /// <summary>Backward: the first step, in the order of walking, whose output gradient is read.</summary>
    public int GradientFrom { get; init; }
}

/// <summary>
/// A recurrent cell over whole sequences, forward and backward. The caller multiplies the inputs of all steps by W_ih beforehand and turns the
/// gradients of all steps into weight gradients afterwards. Steps beyond a row's length keep its state, give zeros, and pass gradients on unchanged.
/// </summary>
public abstract class RecurrentCell
{
    /// <summary>Elman's cell, a launch a step.</summary>
    public static RecurrentCell StepwiseElman<TActivation>(KernelLoader loader, Gemm gemm, bool skipsBlocks)
        where TActivation : unmanaged, IActivation => StepwiseCell<ElmanCell<TActivation>>.Load(loader, gemm, skipsBlocks);

    /// <summary>The LSTM, a launch a step.</summary>
    public static RecurrentCell StepwiseLstm(KernelLoader loader, Gemm gemm, bool skipsBlocks) =>
        StepwiseCell<LstmCell>.Load(loader, gemm, skipsBlocks);

    /// <summary>The LSTM with peepholes, a launch a step.</summary>
    public static RecurrentCell StepwisePeepholeLstm(KernelLoader loader, Gemm gemm, bool skipsBlocks) =>
        StepwiseCell<PeepholeLstmCell>.Load(loader, gemm, skipsBlocks);

    /// <summary>The GRU, a launch a step.</summary>
    public static RecurrentCell StepwiseGru(KernelLoader loader, Gemm gemm, bool skipsBlocks) =>
        StepwiseCell<GruCell>.Load(loader, gemm, skipsBlocks);

    /// <summary>The GRU that resets before the product, four launches a step; it multiplies all blocks.</summary>
    public static RecurrentCell StepwiseGruResetBefore(KernelLoader loader, Gemm gemm, bool skipsBlocks) => new GruResetBefore(loader, gemm);

    /// <summary>Elman's cell, all steps in one launch; the tile is the same both ways.</summary>
    /// <exception cref="NotSupportedException">The driver does not grant so much shared memory, or so many threads.</exception>
    public static RecurrentCell PersistentElman<TActivation>(KernelLoader loader, PersistentTile tile)
        where TActivation : unmanaged, IActivation
    {
        return new PersistentCell(Pass(false, typeof(PersistentElmanForward<,,>)), Pass(true, typeof(PersistentElmanBackward<,,>)));

        PersistentPass Pass(bool isBackward, Type kernel) =>
            PersistentPass.Load(loader, tile, 1, isBackward, kernel, (strip, exchange) => [strip, exchange, typeof(TActivation)]);
    }

    /// <summary>The LSTM, all steps in one launch.</summary>
    /// <exception cref="NotSupportedException">The driver does not grant so much shared memory, or so many threads.</exception>
    public static RecurrentCell PersistentLstm(KernelLoader loader, PersistentTile forward, PersistentTile backward) =>
        PersistentGated(loader, 4, forward, typeof(LstmForward), typeof(Rows4<>), backward, typeof(LstmBackward));

    /// <summary>The GRU, all steps in one launch.</summary>
    /// <exception cref="NotSupportedException">The driver does not grant so much shared memory, or so many threads.</exception>
    public static RecurrentCell PersistentGru(KernelLoader loader, PersistentTile forward, PersistentTile backward) =>
        PersistentGated(loader, 3, forward, typeof(GruForward), typeof(Rows3<>), backward, typeof(GruBackward));

    private static PersistentCell PersistentGated(
        KernelLoader loader, int gates, PersistentTile forward, Type forwardCell, Type forwardRows, PersistentTile backward, Type backwardCell) => new(
            PersistentPass.Load(loader, forward, gates, false, typeof(PersistentForward<,,,,>),
                (strip, exchange) => GatedKernelAttribute.Closed(forwardCell, forwardRows, strip, exchange)),
            PersistentPass.Load(loader, backward, gates, true, typeof(PersistentBackward<,,,,>),
                (strip, exchange) => GatedKernelAttribute.Closed(backwardCell, typeof(Rows4<>), strip, exchange)));

    /// <summary>Local memory into which a thread of its kernels spills registers, in bytes; 0 where the device does not tell.</summary>
    public virtual int SpilledBytes => 0;

    /// <summary>Whether a pass is many launches that depend on nothing but the operands, so that they can be repeated as a graph.</summary>
    public virtual bool IsReplayable => false;

    /// <summary>
    /// How many numbers <see cref="RecurrentOperands.Arranged"/> has for B = <paramref name="batch"/> and H = <paramref name="width"/>.
    /// </summary>
    public abstract int ArrangedCount(int batch, int width);

    /// <summary>Runs all steps.</summary>
    public abstract void Forward(AcceleratorStream stream, in RecurrentOperands operands);

    /// <summary>
    /// Runs all steps backward. The gradient of the initial h is then <see cref="RecurrentViews.Carry"/> plus the first step's gradients times
    /// W_hh (of the GRU that resets before the product the carry alone), that of the initial c is <see cref="RecurrentViews.CellCarry"/>.
    /// </summary>
    public abstract void Backward(AcceleratorStream stream, in RecurrentOperands operands);
}
