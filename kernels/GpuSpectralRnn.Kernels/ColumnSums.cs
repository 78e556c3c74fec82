using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Sums of a matrix's columns, the gradient of a bias. Slices of the rows are summed first, then the slices, always in the same order.
/// </summary>
public sealed class ColumnSums : IDisposable
{
    private const int PartialCapacity = 1 << 18;

    private readonly KernelLoader loader;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int> sumSlices;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int, float> sumColumns;
    private readonly MemoryBuffer partials;

    /// <summary>Loads the kernels.</summary>
    public ColumnSums(KernelLoader loader)
    {
        this.loader = loader;
        sumSlices = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int>>(SumSlices);
        sumColumns = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int, float>>(SumColumns);
        partials = loader.Memory.Allocate(PartialCapacity, sizeof(float));
    }

    /// <summary>sums[j] = beta sums[j] + sum_i x[i, j]; x [rows, columns], sums [columns]. With beta 0, sums is not read.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> sums, int rows, int columns, float beta)
    {
        if (columns == 0) return;
        int width = loader.WidthFor(columns);

        // About sqrt(rows) slices balance the two stages and keep rounding errors small.
        int slices = Math.Min((int)Math.Sqrt(rows), PartialCapacity / columns);
        if (slices <= 1)
        {
            sumColumns(stream, width, x, sums, rows, columns, width, beta);
            return;
        }

        int perSlice = (rows + slices - 1) / slices;
        slices = (rows + perSlice - 1) / perSlice;
        ArrayView<float> partial = partials.AsArrayView<float>(0, (long)slices * columns); // [slices, columns]
        sumSlices(stream, slices * columns, x, partial, rows, columns, perSlice);
        sumColumns(stream, width, partial, sums, slices, columns, width, beta);
    }

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

    [KernelEntry]
    internal static void SumSlices(
        Index1D index,
        ArrayView<float> x, // [rows, columns]
        ArrayView<float> partial, // [slices, columns]
        int rows,
        int columns,
        int perSlice)
    {
        int column = index % columns;
        int from = index / columns * perSlice;
        int to = from + perSlice < rows ? from + perSlice : rows;
        float sum = 0f;
        for (int row = from; row < to; row++) sum += x[row * columns + column];
        partial[index] = sum;
    }

    [KernelEntry]
    internal static void SumColumns(
        Index1D index,
        ArrayView<float> x, // [rows, columns]
        ArrayView<float> sums, // [columns]
        int rows,
        int columns,
        int width,
        float beta)
    {
        for (int column = index; column < columns; column += width)
        {
            float sum = 0f;
            for (int row = 0; row < rows; row++) sum += x[row * columns + column];
            sums[column] = beta == 0f ? sum : beta * sums[column] + sum;
        }
    }
}
