using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Divergence of softmaxes: one item, every width-th row.</summary>
[Kernel(GroupSize = 32)]
internal readonly struct SoftmaxDivergenceRows(LossArguments<float> a) : IItemKernel, IKernelWith<SoftmaxDivergenceRows, LossArguments<float>>
{
    public static SoftmaxDivergenceRows With(in LossArguments<float> arguments) => new(arguments);

    public void Run(int item)
    {
        CompensatedSum loss = default;
        int agreed = 0;
        int counted = 0;
        for (int row = item; row < a.Rows; row += a.Width)
        {
            int first = row * a.Columns;
            int best = 0;
            int bestTarget = 0;
            float largest = a.Outputs[first];
            float largestTarget = a.Targets[first];
            for (int j = 1; j < a.Columns; j++)
            {
                float logit = a.Outputs[first + j];
                float target = a.Targets[first + j];
                if (logit > largest)
                {
                    best = j;
                    largest = logit;
                }

                if (target > largestTarget)
                {
                    bestTarget = j;
                    largestTarget = target;
                }
            }

            float sum = 0f;
            float sumTarget = 0f;
            for (int j = 0; j < a.Columns; j++)
            {
                sum += Elementary.Exp(a.Outputs[first + j] - largest);
                sumTarget += Elementary.Exp(a.Targets[first + j] - largestTarget);
            }

            // sum_c p_c (log p_c - log q_c): the shifts by the largest a.Outputs and the logarithms of the sums are common to all classes.
            CompensatedSum divergence = default;
            divergence.Add(Elementary.Log(sum) - Elementary.Log(sumTarget));
            for (int j = 0; j < a.Columns; j++)
            {
                float logit = a.Outputs[first + j] - largest;
                float target = a.Targets[first + j] - largestTarget;
                float share = Elementary.Exp(target) / sumTarget;
                if (!(share <= 0f)) divergence.Add(share * (target - logit));
                if (a.WantsGradient != 0) a.Gradient[first + j] = a.Scale * (Elementary.Exp(logit) / sum - share);
            }

            loss.Add(divergence);
            counted++;
            if (best == bestTarget) agreed++;
        }

        a.Store(item, loss, agreed, counted);
    }
}

/// <summary>Divergence of softmaxes over many classes, one group for a row, as in <see cref="SoftmaxCrossEntropyGroups"/>.</summary>
[Kernel(GroupSize = GroupSums.Threads)]
internal readonly struct SoftmaxDivergenceGroups(LossArguments<float> a) : ILossGroups<SoftmaxDivergenceGroups, float>
{
    public static SoftmaxDivergenceGroups With(in LossArguments<float> arguments) => new(arguments);

    public static int GroupsFor(int rows, int columns, int most) => SoftmaxGroups.GroupsFor(columns, most);

    public void Run()
    {
        ArrayView<float> values = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<float> rests = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<int> places = SharedMemory.Allocate<int>(GroupSums.Threads);
        int me = Group.IdxX;
        CompensatedSum loss = default;
        int agreed = 0;
        int counted = 0;
        for (int row = Grid.IdxX; row < a.Rows; row += a.Width)
        {
            int first = row * a.Columns;
            Largest best = GroupSums.Best(values, places, Largest.Find(a.Outputs, first, a.Columns));
            Largest bestTarget = GroupSums.Best(values, places, Largest.Find(a.Targets, first, a.Columns));
            float sum = GroupSums.Sum(values, SoftmaxGroups.SumOfExponentials(a.Outputs, first, a.Columns, best.Value));
            float sumTarget = GroupSums.Sum(values, SoftmaxGroups.SumOfExponentials(a.Targets, first, a.Columns, bestTarget.Value));

            // sum_c p_c (log p_c - log q_c), as by items.
            CompensatedSum divergence = default;
            if (me == 0) divergence.Add(Elementary.Log(sum) - Elementary.Log(sumTarget));
            for (int j = me; j < a.Columns; j += GroupSums.Threads)
            {
                float logit = a.Outputs[first + j] - best.Value;
                float target = a.Targets[first + j] - bestTarget.Value;
                float share = Elementary.Exp(target) / sumTarget;
                if (!(share <= 0f)) divergence.Add(share * (target - logit));
                if (a.WantsGradient != 0) a.Gradient[first + j] = a.Scale * (Elementary.Exp(logit) / sum - share);
            }

            loss.Add(GroupSums.Sum(values, rests, divergence));
            counted++;
            if (best.Place == bestTarget.Place) agreed++;
        }

        if (me == 0) a.Store(Grid.IdxX, loss, agreed, counted);
    }
}
