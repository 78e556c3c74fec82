using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Mean squared error per row, (1/D) sum_d (prediction - target)^2, with its gradient in the same pass.</summary>
public sealed class MeanSquaredError
{
    private const int MostGroups = 1024;

    private readonly LossTally tally;
    private readonly LossKernels<float> kernels;

    /// <summary>Loads the kernels.</summary>
    public MeanSquaredError(KernelLoader loader, LossTally tally)
    {
        this.tally = tally;
        kernels = new LossKernels<float>(loader, tally, Rows, Elements);
    }

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
        long threads = (long)rows * columns / 4; // four numbers and more for each
        int width = kernels.HasGroups ? (int)Math.Clamp(threads / GroupSums.Threads, 1, MostGroups) : tally.WidthFor(rows);
        kernels.Run(stream, kernels.HasGroups, width, predictions, targets, gradient, rows, columns, scale * 2 / columns, sums, counts);
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
        LossExtents e,
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

    /// <summary>Groups, whatever the rows: neighbouring threads read neighbouring numbers. The first group counts the rows.</summary>
    [KernelEntry(GroupSize = GroupSums.Threads)]
    internal static void Elements(
        ArrayView<float> predictions, // [rows, columns]
        ArrayView<float> targets, // [rows, columns]
        ArrayView<float> gradient, // [rows, columns]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        LossExtents e,
        float slope)
    {
        ArrayView<float> highs = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<float> lows = SharedMemory.Allocate<float>(GroupSums.Threads);
        CompensatedSum sum = default;
        int count = e.Rows * e.Columns;
        for (int i = Grid.IdxX * GroupSums.Threads + Group.IdxX; i < count; i += e.Width * GroupSums.Threads)
        {
            float difference = predictions[i] - targets[i];
            sum.Add(difference * difference);
            if (e.WantsGradient != 0) gradient[i] = slope * difference;
        }

        sum = GroupSums.Sum(highs, lows, sum);
        sum.High /= e.Columns;
        sum.Low /= e.Columns;
        if (Group.IdxX == 0) LossTally.Store(partialSums, partialCounts, Grid.IdxX, sum, 0, Grid.IdxX == 0 ? e.Rows : 0);
    }
}
