using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Arguments of column sums: sums[j] = alpha sum_i x[i, j] + beta sums[j].</summary>
public struct ColumnSumsArguments
{
    /// <summary>x [rows, columns].</summary>
    public ArrayView<float> X;

    /// <summary>[columns].</summary>
    public ArrayView<float> Sums;

    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Number of columns.</summary>
    public int Columns;

    /// <summary>Factor on the sum.</summary>
    public float Alpha;

    /// <summary>Factor on the old sums; with 0 they are not read.</summary>
    public float Beta;
}

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

    /// <summary>sums[j] = alpha sum_i x[i, j] + beta sums[j].</summary>
    public void Run(AcceleratorStream stream, ColumnSumsArguments arguments)
    {
        if (arguments.Columns == 0) return;
        int slices = SlicesFor(arguments);
        if (arguments.Rows > ShortColumn && slices > 1) SumInSlices(stream, ref arguments, null, slices);
        sumColumns(stream, arguments.Columns, new(arguments));
    }

    /// <summary>The same, and the same for a second view [columns] of sums; x is read once.</summary>
    public void Run(AcceleratorStream stream, ColumnSumsArguments arguments, ArrayView<float> second)
    {
        if (arguments.Columns == 0) return;
        int slices = SlicesFor(arguments);
        if (slices > 1) SumInSlices(stream, ref arguments, null, slices);
        sumColumns(stream, arguments.Columns, new(arguments));
        sumColumns(stream, arguments.Columns, new(arguments with { Sums = second }));
    }

    /// <summary>
    /// sums[j] = alpha sum_i weights[i] x[i, j] + beta sums[j]; weights [rows], at least one row, at most 2^18 columns.
    /// </summary>
    public void RunWeighted(AcceleratorStream stream, ColumnSumsArguments arguments, ArrayView<float> weights)
    {
        if (arguments.Columns == 0) return;
        SumInSlices(stream, ref arguments, weights, SlicesFor(arguments));
        sumColumns(stream, arguments.Columns, new(arguments));
    }

    /// <summary>Whether <see cref="RunWeighted"/> takes this number of columns.</summary>
    public static bool CanWeigh(int columns) => columns <= PartialCapacity;

    /// <inheritdoc/>
    public void Dispose() => partials.Dispose();

    // About sqrt(rows) slices balance the two stages and keep rounding errors small.
    private static int SlicesFor(in ColumnSumsArguments arguments) =>
        Math.Max(1, Math.Min((int)Math.Sqrt(arguments.Rows), PartialCapacity / arguments.Columns));

    // Replaces x by the sums of its slices.
    private void SumInSlices(AcceleratorStream stream, ref ColumnSumsArguments arguments, ArrayView<float>? weights, int slices)
    {
        (int rows, int columns) = (arguments.Rows, arguments.Columns);
        int perSlice = Math.Max(1, (rows + slices - 1) / slices);
        slices = (rows + perSlice - 1) / perSlice;
        ArrayView<float> partial = partials.Of((long)slices * columns);
        sumSlices(
            stream, slices * columns, new(arguments.X, weights ?? arguments.X, partial, rows, columns, perSlice, weights is null ? 0 : 1));
        (arguments.X, arguments.Rows) = (partial, slices);
    }

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

    /// <summary>One element, one column.</summary>
    internal readonly struct SumColumns(ColumnSumsArguments a) : IElementKernel
    {
        public void Run(int element)
        {
            float sum = a.Alpha * Rows(a.X, a.Columns, element, 0, a.Rows);
            a.Sums[element] = a.Beta == 0f ? sum : a.Beta * a.Sums[element] + sum;
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
