using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Mean squared error per row, (1/D) sum_d (prediction - target)^2, with its gradient in the same pass.</summary>
public sealed class MeanSquaredError(KernelLoader loader, LossTally tally)
{
    private readonly Launcher run = loader.Load<Launcher>(Rows, 32);

    private delegate void Launcher(
        AcceleratorStream stream,
        Index1D items,
        ArrayView<float> predictions,
        ArrayView<float> targets,
        ArrayView<float> gradient,
        ArrayView<float> partialSums,
        ArrayView<int> partialCounts,
        SquaredErrorExtents e,
        float slope);

    /// <summary>Adds the loss of every row to the totals; writes scale (2/D) (prediction - target) where a gradient is wanted.</summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="predictions">[rows, columns].</param>
    /// <param name="targets">[rows, columns].</param>
    /// <param name="gradient">[rows, columns]; may be the predictions; null where none is wanted.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">D.</param>
    /// <param name="scale">Factor on the gradient.</param>
    /// <param name="sums">The totals' sums.</param>
    /// <param name="counts">The totals' counts.</param>
    public void Run(
        AcceleratorStream stream,
        ArrayView<float> predictions,
        ArrayView<float> targets,
        ArrayView<float>? gradient,
        int rows,
        int columns,
        float scale,
        ArrayView<float> sums,
        ArrayView<long> counts)
    {
        int width = tally.WidthFor(rows);
        SquaredErrorExtents extents = new() { Rows = rows, Columns = columns, Width = width, WantsGradient = gradient is null ? 0 : 1 };
        run(stream, width, predictions, targets, gradient ?? predictions, tally.PartialSums, tally.PartialCounts, extents, scale * 2 / columns);
        tally.Add(stream, width, sums, counts);
    }

    /// <summary>One item, every width-th row.</summary>
    [KernelEntry]
    internal static void Rows(
        Index1D index,
        ArrayView<float> predictions, // [rows, columns]
        ArrayView<float> targets, // [rows, columns]
        ArrayView<float> gradient, // [rows, columns]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        SquaredErrorExtents e,
        float slope)
    {
        CompensatedSum loss = default;
        int counted = 0;
        for (int row = index; row < e.Rows; row += e.Width)
        {
            CompensatedSum sum = default;
            for (int i = row * e.Columns; i < (row + 1) * e.Columns; i++)
            {
                float difference = predictions[i] - targets[i];
                sum.Add(difference * difference);
                if (e.WantsGradient != 0) gradient[i] = slope * difference;
            }

            loss.Add(sum.Rounded / e.Columns);
            counted++;
        }

        LossTally.Store(partialSums, partialCounts, index, loss, 0, counted);
    }
}

/// <summary>Extents of a squared-error launch.</summary>
public struct SquaredErrorExtents
{
    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Numbers in a row.</summary>
    public int Columns;

    /// <summary>Items launched.</summary>
    public int Width;

    /// <summary>1 where the gradient is written.</summary>
    public int WantsGradient;
}
