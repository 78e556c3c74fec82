using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>
/// A reader of a recurrent node's output that is linear in the units, by a constant weight: MatMul, Gemm, Conv, or W of the next recurrent node. It
/// can take h = A h_J in by W' = W A.
/// </summary>
/// <param name="Reader">The node; its input is the value that holds the units.</param>
/// <param name="Weight">Index of the weight among the node's inputs.</param>
/// <param name="Constant">The weight.</param>
/// <param name="Axis">Its axis of the units.</param>
/// <param name="IsMerged">Whether both directions are concatenated on that axis.</param>
internal sealed record LinearReader(Reader Reader, int Weight, Constant Constant, int Axis, bool IsMerged)
{
    /// <summary>Cuts the weight: W' [..., k, ...] of W [..., H, ...].</summary>
    /// <param name="constants">Takes the new weight.</param>
    /// <param name="fold">A [H, k] for each direction.</param>
    public void Absorb(ConstantPool constants, Matrix[] fold)
    {
        Matrix a = IsMerged ? Matrix.BlockDiagonal(fold) : fold[0];
        int inner = Constant.Extents[(Axis + 1)..].Aggregate(1, (x, y) => x * y), outer = Constant.Values.Length / (a.Rows * inner);
        float[] values = new float[outer * a.Columns * inner];
        Matrix transposed = a.Transpose();
        for (int o = 0; o < outer; o++)
        {
            Matrix block = Matrix.From(a.Rows, inner, Constant.Values.AsSpan(o * a.Rows * inner, a.Rows * inner));
            (transposed * block).ToSingle().CopyTo(values, o * a.Columns * inner);
        }

        int[] extents = [.. Constant.Extents];
        extents[Axis] = a.Columns;
        string old = Reader.Node.Input[Weight];
        Reader.Node.Input[Weight] = constants.Of($"{old}/folded_{a.Columns}", extents, values);
        UnusedValues.Remove(Reader.Scope, old);
    }
}
