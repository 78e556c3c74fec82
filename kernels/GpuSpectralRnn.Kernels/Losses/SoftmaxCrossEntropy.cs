using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Softmax cross-entropy: one item, every width-th row.</summary>
[Kernel(GroupSize = 32)]
internal readonly struct SoftmaxCrossEntropyRows(LossArguments<int> a) : IItemKernel, IKernelWith<SoftmaxCrossEntropyRows, LossArguments<int>>
{
    public static SoftmaxCrossEntropyRows With(in LossArguments<int> arguments) => new(arguments);

    public void Run(int item)
    {
        CompensatedSum loss = default;
        int correct = 0;
        int counted = 0;
        for (int row = item; row < a.Rows; row += a.Width)
        {
            int first = row * a.Columns;
            int label = a.Targets[row];
            if (label < 0)
            {
                if (a.WantsGradient == 0) continue;
                for (int j = 0; j < a.Columns; j++) a.Gradient[first + j] = 0f;
                continue;
            }

            int best = 0;
            float largest = a.Outputs[first];
            for (int j = 1; j < a.Columns; j++)
            {
                float logit = a.Outputs[first + j];
                if (!(logit > largest)) continue;
                best = j;
                largest = logit;
            }

            float sum = 0f;
            for (int j = 0; j < a.Columns; j++) sum += Elementary.Exp(a.Outputs[first + j] - largest);
            float own = label < a.Columns ? a.Outputs[first + label] : float.NaN; // a label out of range spoils the loss, not the memory
            loss.Add(Elementary.Log(sum) - (own - largest));
            counted++;
            if (best == label) correct++;
            if (a.WantsGradient == 0) continue;
            for (int j = 0; j < a.Columns; j++)
            {
                float share = Elementary.Exp(a.Outputs[first + j] - largest) / sum;
                a.Gradient[first + j] = a.Scale * (j == label ? share - 1f : share);
            }
        }

        a.Store(item, loss, correct, counted);
    }
}

/// <summary>
/// Softmax cross-entropy over many classes, one group for a row: coalesced reads and writes; the largest logit and the sum are reduced through shared
/// memory in a fixed order.
/// </summary>
[Kernel(GroupSize = GroupSums.Threads)]
internal readonly struct SoftmaxCrossEntropyGroups(LossArguments<int> a) : ILossGroups<SoftmaxCrossEntropyGroups, int>
{
    public static SoftmaxCrossEntropyGroups With(in LossArguments<int> arguments) => new(arguments);

    public static int GroupsFor(int rows, int columns, int most) => SoftmaxGroups.GroupsFor(columns, most);

    public void Run()
    {
        ArrayView<float> values = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<int> places = SharedMemory.Allocate<int>(GroupSums.Threads);
        int me = Group.IdxX;
        CompensatedSum loss = default;
        int correct = 0;
        int counted = 0;
        for (int row = Grid.IdxX; row < a.Rows; row += a.Width)
        {
            int first = row * a.Columns;
            int label = a.Targets[row];
            if (label < 0)
            {
                for (int j = me; j < a.Columns * a.WantsGradient; j += GroupSums.Threads) a.Gradient[first + j] = 0f;
                continue;
            }

            float own = label < a.Columns ? a.Outputs[first + label] : float.NaN; // a label out of range spoils the loss, not the memory
            Largest best = GroupSums.Best(values, places, Largest.Find(a.Outputs, first, a.Columns));
            float sum = GroupSums.Sum(values, SoftmaxGroups.SumOfExponentials(a.Outputs, first, a.Columns, best.Value));
            loss.Add(Elementary.Log(sum) - (own - best.Value));
            counted++;
            if (best.Place == label) correct++;
            for (int j = me; j < a.Columns * a.WantsGradient; j += GroupSums.Threads)
            {
                float share = Elementary.Exp(a.Outputs[first + j] - best.Value) / sum;
                a.Gradient[first + j] = a.Scale * (j == label ? share - 1f : share);
            }
        }

        if (me == 0) a.Store(Grid.IdxX, loss, correct, counted);
    }
}

/// <summary>Common parts of softmax kernels by groups.</summary>
internal static class SoftmaxGroups
{
    private const int LeastClasses = 2 * GroupSums.Threads; // fewer leave too many threads idle

    /// <summary>One group for each row, at most <paramref name="most"/>; 0 for few classes.</summary>
    public static int GroupsFor(int classes, int most) => classes >= LeastClasses ? most : 0;

    /// <summary>A thread's part (every 256th class) of sum_j exp(logits[j] - largest).</summary>
    public static float SumOfExponentials(ArrayView<float> logits, int first, int classes, float largest)
    {
        float sum = 0f;
        for (int j = Group.IdxX; j < classes; j += GroupSums.Threads) sum += Elementary.Exp(logits[first + j] - largest);
        return sum;
    }
}
