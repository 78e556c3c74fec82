using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The divergence of softmaxes over many classes, a row a group, as in <see cref="SoftmaxGroups"/>.</summary>
internal static class SoftmaxDivergenceGroups
{
    private const int Threads = SoftmaxGroups.Threads;

    /// <summary>One group, every width-th row.</summary>
    [KernelEntry(GroupSize = Threads)]
    internal static void Rows(
        ArrayView<float> logits, // [rows, classes]
        ArrayView<float> targets, // [rows, classes]
        ArrayView<float> gradient, // [rows, classes]
        ArrayView<float> partialSums, // [width, 2]
        ArrayView<int> partialCounts, // [width, 2]
        LossExtents e,
        float scale)
    {
        ArrayView<float> values = SharedMemory.Allocate<float>(Threads);
        ArrayView<float> rests = SharedMemory.Allocate<float>(Threads);
        ArrayView<int> places = SharedMemory.Allocate<int>(Threads);
        int me = Group.IdxX;
        CompensatedSum loss = default;
        int agreed = 0;
        int counted = 0;
        for (int row = Grid.IdxX; row < e.Rows; row += e.Width)
        {
            int first = row * e.Columns;
            Largest best = GroupSums.Best(values, places, Largest.Of(logits, first, e.Columns));
            Largest bestTarget = GroupSums.Best(values, places, Largest.Of(targets, first, e.Columns));
            float sum = GroupSums.Sum(values, SoftmaxGroups.SumOfExponentials(logits, first, e.Columns, best.Value));
            float sumTarget = GroupSums.Sum(values, SoftmaxGroups.SumOfExponentials(targets, first, e.Columns, bestTarget.Value));

            // sum_c p_c (log p_c - log q_c), as in SoftmaxDivergence.
            CompensatedSum divergence = default;
            if (me == 0) divergence.Add(Elementary.Log(sum) - Elementary.Log(sumTarget));
            for (int j = me; j < e.Columns; j += Threads)
            {
                float logit = logits[first + j] - best.Value;
                float target = targets[first + j] - bestTarget.Value;
                float share = Elementary.Exp(target) / sumTarget;
                if (!(share <= 0f)) divergence.Add(share * (target - logit));
                if (e.WantsGradient != 0) gradient[first + j] = scale * (Elementary.Exp(logit) / sum - share);
            }

            loss.Add(GroupSums.Sum(values, rests, divergence));
            counted++;
            if (best.Place == bestTarget.Place) agreed++;
        }

        if (me == 0) LossTally.Store(partialSums, partialCounts, Grid.IdxX, loss, agreed, counted);
    }
}
