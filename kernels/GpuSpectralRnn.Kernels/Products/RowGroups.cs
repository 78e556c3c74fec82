using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Rows of a matrix that belong to units, w[block stride + first + unit, i], times a number for each unit, in place. An element is one of
/// blocks x units x columns.
/// </summary>
public readonly struct ScaledRows(
    ArrayView<float> weights, // [rows, columns]
    ArrayView<float> scales, // [units]
    int first,
    int stride,
    int units,
    int columns)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int row = element / columns;
        int column = element - row * columns;
        int block = row / units;
        int unit = row - block * units;
        weights[(block * stride + first + unit) * columns + column] *= scales[unit];
    }
}

/// <summary>
/// Sums of the squares of the rows that belong to each unit: slices of the columns are summed first, then the slices, always in the same order.
/// </summary>
public sealed class RowSquares(KernelLoader loader, ColumnSums sums) : IDisposable
{
    private const int PartialCapacity = 1 << 18;

    private readonly Launcher<Slices> slices = loader.Items<Slices>();
    private readonly Scratch partials = new(loader.Memory);

    /// <summary>squares[unit] += sum over blocks and columns of w[block stride + first + unit, i]^2.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> weights, ArrayView<float> squares, RowGroupExtents extents)
    {
        (int blocks, int first, int stride, int units, int columns) = extents;
        if (units == 0 || columns == 0 || blocks == 0) return;
        int count = Math.Max(1, Math.Min((int)Math.Sqrt(columns), PartialCapacity / units));
        int perSlice = (columns + count - 1) / count;
        count = (columns + perSlice - 1) / perSlice;
        ArrayView<float> partial = partials.Of((long)count * units);
        slices(stream, count * units, new(weights, partial, blocks, first, stride, units, columns, perSlice));
        sums.Run(stream, new() { X = partial, Sums = squares, Rows = count, Columns = units, Alpha = 1, Beta = 1 });
    }

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

    /// <summary>One item, the rows of one unit over one slice of the columns.</summary>
    internal readonly struct Slices(
        ArrayView<float> weights, // [rows, columns]
        ArrayView<float> partial, // [slices, units]
        int blocks,
        int first,
        int stride,
        int units,
        int columns,
        int perSlice)
        : IItemKernel
    {
        public void Run(int item)
        {
            int slice = item / units;
            int unit = item - slice * units;
            int from = slice * perSlice;
            int to = from + perSlice < columns ? from + perSlice : columns;
            float sum = 0f;
            for (int block = 0; block < blocks; block++)
            {
                int row = (block * stride + first + unit) * columns;
                for (int i = from; i < to; i++) sum += weights[row + i] * weights[row + i];
            }

            partial[item] = sum;
        }
    }
}

/// <summary>Which rows of a matrix [rows, Columns] belong to units: Block Stride + First + unit for every block.</summary>
public readonly record struct RowGroupExtents(int Blocks, int First, int Stride, int Units, int Columns);
