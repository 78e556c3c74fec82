using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Mean squared error: one item, every width-th row.</summary>
[Kernel(GroupSize = 32)]
internal readonly struct MeanSquaredErrorRows(LossArguments<float> a) : IItemKernel, IKernelWith<MeanSquaredErrorRows, LossArguments<float>>
{
    public static MeanSquaredErrorRows With(in LossArguments<float> arguments) => new(arguments);

    public void Run(int item)
    {
        CompensatedSum loss = default;
        int counted = 0;
        for (int row = item; row < a.Rows; row += a.Width)
        {
            CompensatedSum sum = default;
            for (int i = row * a.Columns; i < (row + 1) * a.Columns; i++)
            {
                float difference = a.Outputs[i] - a.Targets[i];
                sum.Add(difference * difference);
                if (a.WantsGradient != 0) a.Gradient[i] = a.Scale * difference;
            }

            loss.Add(sum.Rounded / a.Columns);
            counted++;
        }

        a.Store(item, loss, 0, counted);
    }
}

/// <summary>
/// Mean squared error by groups over all elements regardless of rows, for coalesced reads. The first group counts the rows.
/// </summary>
[Kernel(GroupSize = GroupSums.Threads)]
internal readonly struct MeanSquaredErrorGroups(LossArguments<float> a) : ILossGroups<MeanSquaredErrorGroups, float>
{
    private const int MostGroups = 1024;

    public static MeanSquaredErrorGroups With(in LossArguments<float> arguments) => new(arguments);

    // Four numbers and more for each thread.
    public static int GroupsFor(int rows, int columns, int most) => (int)Math.Clamp((long)rows * columns / 4 / GroupSums.Threads, 1, MostGroups);

    public void Run()
    {
        ArrayView<float> highs = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<float> lows = SharedMemory.Allocate<float>(GroupSums.Threads);
        CompensatedSum sum = default;
        int count = a.Rows * a.Columns;
        for (int i = Grid.IdxX * GroupSums.Threads + Group.IdxX; i < count; i += a.Width * GroupSums.Threads)
        {
            float difference = a.Outputs[i] - a.Targets[i];
            sum.Add(difference * difference);
            if (a.WantsGradient != 0) a.Gradient[i] = a.Scale * difference;
        }

        sum = GroupSums.Sum(highs, lows, sum);
        sum.High /= a.Columns;
        sum.Low /= a.Columns;
        if (Group.IdxX == 0) a.Store(Grid.IdxX, sum, 0, Grid.IdxX == 0 ? a.Rows : 0);
    }
}
