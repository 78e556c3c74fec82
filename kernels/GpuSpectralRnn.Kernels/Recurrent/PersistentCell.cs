using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>A recurrent cell that takes all steps in one launch.</summary>
internal sealed class PersistentCell(PersistentPass forward, PersistentPass backward) : RecurrentCell
{
    /// <inheritdoc/>
    public override int SpilledBytes => Math.Max(forward.SpilledBytes, backward.SpilledBytes);

    /// <inheritdoc/>
    public override int ArrangedCount(int batch, int width) => Math.Max(forward.ArrangedCount, backward.ArrangedCount);

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands operands) => forward.Run(stream, operands);

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands operands) => backward.Run(stream, operands);
}
