using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Some columns of a matrix times a number each, target[i, from + j] = source[i, from + j] scales[j]; target may be source.</summary>
public readonly struct ScaledColumns(
    ArrayView<float> source, // [rows, stride]
    ArrayView<float> scales, // [columns]
    ArrayView<float> target, // [rows, stride]
    int from,
    int columns,
    int stride)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int row = element / columns;
        int column = element - row * columns;
        int place = row * stride + from + column;
        target[place] = source[place] * scales[column];
    }
}

/// <summary>
/// Inner products of the columns of two matrices, the gradient of <see cref="ScaledColumns"/>'s scales: slices of the rows are summed first, then the
/// slices, always in the same order.
/// </summary>
public sealed class ColumnDots(KernelLoader loader, ColumnSums sums) : IDisposable
{
    private const int PartialCapacity = 1 << 18;

    private readonly Launcher<Slices> slices = loader.Items<Slices>();
    private readonly Scratch partials = new(loader.Memory);

    /// <summary>dots[j] += sum_i a[i, from + j] b[i, from + j] for j below columns; a and b [rows, stride].</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> a, ArrayView<float> b, ArrayView<float> dots, int rows, int from, int columns, int stride)
    {
        if (rows == 0 || columns == 0) return;

        // About sqrt(rows) slices balance the two stages and keep rounding errors small.
        int count = Math.Max(1, Math.Min((int)Math.Sqrt(rows), PartialCapacity / columns));
        int perSlice = (rows + count - 1) / count;
        count = (rows + perSlice - 1) / perSlice;
        ArrayView<float> partial = partials.Of((long)count * columns);
        slices(stream, count * columns, new(a, b, partial, rows, from, columns, stride, perSlice));
        sums.Run(stream, new() { X = partial, Sums = dots, Rows = count, Columns = columns, Alpha = 1, Beta = 1 });
    }

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

    /// <summary>One item, one column of one slice.</summary>
    internal readonly struct Slices(
        ArrayView<float> a, // [rows, stride]
        ArrayView<float> b, // [rows, stride]
        ArrayView<float> partial, // [slices, columns]
        int rows,
        int from,
        int columns,
        int stride,
        int perSlice)
        : IItemKernel
    {
        public void Run(int item)
        {
            int slice = item / columns;
            int column = from + item - slice * columns;
            int row = slice * perSlice;
            int to = row + perSlice < rows ? row + perSlice : rows;
            float sum = 0f;
            for (; row < to; row++) sum += a[row * stride + column] * b[row * stride + column];
            partial[item] = sum;
        }
    }
}
