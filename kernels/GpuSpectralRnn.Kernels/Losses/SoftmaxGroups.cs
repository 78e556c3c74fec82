using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Softmax cross-entropy over many classes, a row a group: its threads read and write the row side by side and find the largest logit and the sum
/// through shared memory, in a fixed order. For vocabularies, where one item per row would read alone for thousands of steps.
/// </summary>
internal static class SoftmaxGroups
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = GroupSums.Threads;

    /// <summary>Fewer classes than this leave too many threads idle.</summary>
    public const int LeastClasses = 2 * Threads;

    /// <summary>One group, every width-th row.</summary>
    [KernelEntry(GroupSize = Threads)]
    internal static void Rows(
        ArrayView<float> logits, // [rows, classes]
        ArrayView<int> labels, // [rows]
        ArrayView<float> gradient, // [rows, classes]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        LossExtents e,
        float scale)
    {
        ArrayView<float> values = SharedMemory.Allocate<float>(Threads);
        ArrayView<int> places = SharedMemory.Allocate<int>(Threads);
        int me = Group.IdxX;
        CompensatedSum loss = default;
        int correct = 0;
        int counted = 0;
        for (int row = Grid.IdxX; row < e.Rows; row += e.Width)
        {
            int first = row * e.Columns;
            int label = labels[row];
            if (label < 0)
            {
                for (int j = me; j < e.Columns * e.WantsGradient; j += Threads) gradient[first + j] = 0f;
                continue;
            }

            float own = label < e.Columns ? logits[first + label] : float.NaN; // a label out of range spoils the loss, not the memory
            Largest best = GroupSums.Best(values, places, Largest.Of(logits, first, e.Columns));
            float sum = GroupSums.Sum(values, SumOfExponentials(logits, first, e.Columns, best.Value));
            loss.Add(Elementary.Log(sum) - (own - best.Value));
            counted++;
            if (best.Place == label) correct++;
            for (int j = me; j < e.Columns * e.WantsGradient; j += Threads)
            {
                float share = Elementary.Exp(logits[first + j] - best.Value) / sum;
                gradient[first + j] = scale * (j == label ? share - 1f : share);
            }
        }

        if (me == 0) LossTally.Store(partialSums, partialCounts, Grid.IdxX, loss, correct, counted);
    }

    /// <summary>A thread's part, every 256th, of sum_j exp(logits[j] - largest).</summary>
    internal static float SumOfExponentials(ArrayView<float> logits, int first, int classes, float largest)
    {
        float sum = 0f;
        for (int j = Group.IdxX; j < classes; j += Threads) sum += Elementary.Exp(logits[first + j] - largest);
        return sum;
    }
}
