using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Onnx.Recurrent;

/// <summary>
/// Weights stack one block of H rows per gate: PyTorch (and this library) LSTM i, f, g, o and GRU r, z, n; ONNX LSTM i, o, f, c and GRU z, r, h.
/// </summary>
internal static class GateOrder
{
    /// <summary>For each block of ONNX the block of PyTorch.</summary>
    public static int[] From(Cell cell) => cell.Kind() switch
    {
        CellKind.Lstm => [0, 3, 1, 2],
        CellKind.Gru => [1, 0, 2],
        _ => [0],
    };

    /// <summary>Blocks in PyTorch's order to ONNX's.</summary>
    public static float[] ToOnnx(Cell cell, ReadOnlySpan<float> values)
    {
        int[] order = From(cell);
        int block = values.Length / order.Length;
        float[] result = new float[values.Length];
        for (int i = 0; i < order.Length; i++) values.Slice(order[i] * block, block).CopyTo(result.AsSpan(i * block));
        return result;
    }

    /// <summary>Blocks in ONNX's order to PyTorch's.</summary>
    public static float[] FromOnnx(Cell cell, ReadOnlySpan<float> values)
    {
        int[] order = From(cell);
        int block = values.Length / order.Length;
        float[] result = new float[values.Length];
        for (int i = 0; i < order.Length; i++) values.Slice(i * block, block).CopyTo(result.AsSpan(order[i] * block));
        return result;
    }
}
