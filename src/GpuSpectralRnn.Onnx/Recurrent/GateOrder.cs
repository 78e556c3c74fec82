using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Onnx.Recurrent;

/// <summary>
/// Weights stack one block of H rows per gate: PyTorch (and this library) LSTM i, f, g, o and GRU r, z, n; ONNX LSTM i, o, f, c and GRU z, r, h.
/// </summary>
internal static class GateOrder
{
    /// <summary>Blocks in PyTorch's order to ONNX's.</summary>
    public static float[] ToOnnx(Cell cell, ReadOnlySpan<float> values) => CellSpec.TakeBlocks(cell.Spec().Onnx.Order, values);

    /// <summary>Blocks in ONNX's order to PyTorch's.</summary>
    public static float[] FromOnnx(Cell cell, ReadOnlySpan<float> values) => CellSpec.PutBlocks(cell.Spec().Onnx.Order, values);
}
