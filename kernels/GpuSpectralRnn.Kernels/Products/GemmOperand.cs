using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>A factor of a product as lines, the rows of op(A) or the columns of op(B), that run along the summed extent.</summary>
public struct GemmOperand
{
    /// <summary>Number of lines.</summary>
    public int Lines;

    /// <summary>From a line to the next; 1 where neighbours in memory belong to neighbouring lines.</summary>
    public int LineStride;

    /// <summary>From an element of a line to the next.</summary>
    public int Step;

    /// <summary>1 where the matrix can be read by 128 bits: aligned to 16 bytes, and rows are a multiple of four long.</summary>
    public int HasQuads;

    /// <summary>The factor in a dense matrix: <paramref name="linesAreRows"/> of [lines, length], else of [length, lines].</summary>
    public static GemmOperand Create(ArrayView<float> matrix, int lines, int length, bool linesAreRows) => new()
    {
        Lines = lines,
        LineStride = linesAreRows ? length : 1,
        Step = linesAreRows ? 1 : lines,
        HasQuads = StartsAtQuad(matrix) && (linesAreRows ? length : lines) % 4 == 0 ? 1 : 0,
    };

    /// <summary>Whether a view starts at a multiple of 16 bytes, its buffer's start being one.</summary>
    public static bool StartsAtQuad<TView>(TView view)
        where TView : IContiguousArrayView => view.IndexInBytes % 16 == 0;

    /// <summary>
    /// Four neighbours in memory: lines <paramref name="line"/> to line + 3 at <paramref name="k"/>, or, where lines are contiguous, elements k to k
    /// + 3 of one line; zeros beyond the last line and from <paramref name="to"/> on.
    /// </summary>
    internal readonly Float4 Load(ArrayView<float> matrix, int line, int k, int to)
    {
        Float4 quad = default;
        int place = line * LineStride + k * Step;
        int left = LineStride == 1 ? Lines - line : to - k;
        bool isInside = LineStride == 1 ? k < to : line < Lines;
        if (!isInside || left <= 0) return quad;
        if (HasQuads != 0) return matrix.Cast<Float4>()[place / 4];
        quad.X = matrix[place];
        if (left > 1) quad.Y = matrix[place + 1];
        if (left > 2) quad.Z = matrix[place + 2];
        if (left > 3) quad.W = matrix[place + 3];
        return quad;
    }
}
