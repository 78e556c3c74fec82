using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Sums of a matrix's columns: the gradient of a bias, slices of a product, and, with weights, a product whose other factor is one line. Slices of
/// the rows are summed first, then the slices, always in the same order.
/// </summary>
public sealed class ColumnSums : IDisposable
{
    private const int PartialCapacity = 1 << 18;
    private const int ShortColumn = 32; // not worth a second launch

    private readonly Launcher<SumSlices> sumSlices;
    private readonly Launcher<SumColumns> sumColumns;
    private readonly Scratch partials;

    /// <summary>Loads the kernels.</summary>
    public ColumnSums(KernelLoader loader)
    {
        sumSlices = loader.Items<SumSlices>();
        sumColumns = loader.Elements<SumColumns>();
        partials = new Scratch(loader.Memory);
    }

    /// <summary>sums[j] = alpha sum_i x[i, j] + beta sums[j]; x [rows, columns], sums [columns]. With beta 0, sums is not read.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> sums, int rows, int columns, float alpha, float beta)
    {
        if (columns == 0) return;
        int slices = SlicesFor(rows, columns);
        if (rows > ShortColumn && slices > 1) x = SumInSlices(stream, x, null, slices, ref rows, columns);
        Sum(stream, x, sums, rows, columns, alpha, beta);
    }

    /// <summary>first[j] += sum_i x[i, j] and second[j] += the same; x, [rows, columns], is read once.</summary>
    public void AddTo(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> first, ArrayView<float> second, int rows, int columns)
    {
        if (columns == 0) return;
        int slices = SlicesFor(rows, columns);
        if (slices > 1) x = SumInSlices(stream, x, null, slices, ref rows, columns);
        Sum(stream, x, first, rows, columns, 1, 1);
        Sum(stream, x, second, rows, columns, 1, 1);
    }

    /// <summary>
    /// sums[j] = alpha sum_i weights[i] x[i, j] + beta sums[j]; x [rows, columns], weights [rows], sums [columns]; at least one row, at most 2^18
    /// columns. With beta 0, sums is not read.
    /// </summary>
    public void Run(
        AcceleratorStream stream, ArrayView<float> x, ArrayView<float> weights, ArrayView<float> sums, int rows, int columns, float alpha, float beta)
    {
        if (columns == 0) return;
        ArrayView<float> partial = SumInSlices(stream, x, weights, SlicesFor(rows, columns), ref rows, columns);
        Sum(stream, partial, sums, rows, columns, alpha, beta);
    }

    /// <summary>Whether so many columns may have weights.</summary>
    public static bool CanWeigh(int columns) => columns <= PartialCapacity;

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

    // About sqrt(rows) slices balance the two stages and keep rounding errors small.
    private static int SlicesFor(int rows, int columns) => Math.Max(1, Math.Min((int)Math.Sqrt(rows), PartialCapacity / columns));

    // The sums of the slices, [rows, columns] of what rows becomes.
    private ArrayView<float> SumInSlices(AcceleratorStream stream, ArrayView<float> x, ArrayView<float>? weights, int slices, ref int rows, int columns)
    {
        int perSlice = Math.Max(1, (rows + slices - 1) / slices);
        slices = (rows + perSlice - 1) / perSlice;
        ArrayView<float> partial = partials.Of((long)slices * columns);
        sumSlices(stream, slices * columns, new(x, weights ?? x, partial, rows, columns, perSlice, weights is null ? 0 : 1));
        rows = slices;
        return partial;
    }

    private void Sum(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> sums, int rows, int columns, float alpha, float beta) =>
        sumColumns(stream, columns, new(x, sums, rows, columns, alpha, beta));

    /// <summary>One item, one column of one slice.</summary>
    internal readonly struct SumSlices(
        ArrayView<float> x, // [rows, columns]
        ArrayView<float> weights, // [rows], if there are any
        ArrayView<float> partial, // [slices, columns]
        int rows,
        int columns,
        int perSlice,
        int hasWeights)
        : IItemKernel
    {
        public void Run(int item)
        {
            int column = item % columns;
            int from = item / columns * perSlice;
            int to = from + perSlice < rows ? from + perSlice : rows;
            partial[item] = hasWeights == 0 ? Rows(x, columns, column, from, to) : WeightedRows(x, weights, columns, column, from, to);
        }
    }

    /// <summary>An element is a column.</summary>
    internal readonly struct SumColumns(
        ArrayView<float> x, // [rows, columns]
        ArrayView<float> sums, // [columns]
        int rows,
        int columns,
        float alpha,
        float beta)
        : IElementKernel
    {
        public void Run(int element)
        {
            float sum = alpha * Rows(x, columns, element, 0, rows);
            sums[element] = beta == 0f ? sum : beta * sums[element] + sum;
        }
    }

    // Four numbers are on their way at once; they are added one after the other.
    private static float Rows(ArrayView<float> x, int columns, int column, int from, int to)
    {
        float sum = 0f;
        int row = from;
        for (; row + 3 < to; row += 4)
        {
            int place = row * columns + column;
            float first = x[place];
            float second = x[place + columns];
            float third = x[place + 2 * columns];
            float fourth = x[place + 3 * columns];
            sum = sum + first + second + third + fourth;
        }

        for (; row < to; row++) sum += x[row * columns + column];
        return sum;
    }

    private static float WeightedRows(ArrayView<float> x, ArrayView<float> weights, int columns, int column, int from, int to)
    {
        float sum = 0f;
        int row = from;
        for (; row + 3 < to; row += 4)
        {
            int place = row * columns + column;
            float first = weights[row] * x[place];
            float second = weights[row + 1] * x[place + columns];
            float third = weights[row + 2] * x[place + 2 * columns];
            float fourth = weights[row + 3] * x[place + 3 * columns];
            sum = sum + first + second + third + fourth;
        }

        for (; row < to; row++) sum += weights[row] * x[row * columns + column];
        return sum;
    }
}
