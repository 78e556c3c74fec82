using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Sums of squares step by step, added to running totals [T, (high, low)] in a fixed order: an item a step, or a group where threads share memory.</summary>
public sealed class StepSquares
{
    private readonly Launcher<ByItems> items;
    private readonly Launcher<ByGroups>? groups;

    /// <summary>Loads the kernel.</summary>
    public StepSquares(KernelLoader loader)
    {
        items = loader.Items<ByItems>();
        if (loader.CanShare(GroupSums.Threads)) groups = loader.Groups<ByGroups>();
    }

    /// <summary>totals[t] += sum of the squares of x[t] / <paramref name="units"/>.</summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="x">[T, count].</param>
    /// <param name="totals">[T, 2].</param>
    /// <param name="steps">T.</param>
    /// <param name="count">Numbers of a step.</param>
    /// <param name="units">What sums are divided by.</param>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> totals, int steps, int count, int units)
    {
        if (steps == 0 || count == 0) return;
        if (groups is null) items(stream, steps, new(x, totals, count, units));
        else groups(stream, steps, new(x, totals, count, units));
    }

    private static void AddToTotals(ArrayView<float> totals, int step, CompensatedSum sum, float units)
    {
        CompensatedSum total = new() { High = totals[2 * step], Low = totals[2 * step + 1] };
        total.Add(new CompensatedSum { High = sum.High / units, Low = sum.Low / units });
        totals[2 * step] = total.High;
        totals[2 * step + 1] = total.Low;
    }

    /// <summary>One item, one step.</summary>
    internal readonly struct ByItems(
        ArrayView<float> x, // [T, count]
        ArrayView<float> totals, // [T, 2]
        int count,
        float units)
        : IItemKernel
    {
        public void Run(int item)
        {
            CompensatedSum sum = default;
            for (int i = item * count; i < (item + 1) * count; i++) sum.Add(x[i] * x[i]);
            AddToTotals(totals, item, sum, units);
        }
    }

    /// <summary>One group, one step.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct ByGroups(
        ArrayView<float> x, // [T, count]
        ArrayView<float> totals, // [T, 2]
        int count,
        float units)
        : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> highs = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<float> lows = SharedMemory.Allocate<float>(GroupSums.Threads);
            int step = Grid.IdxX;
            CompensatedSum sum = default;
            for (int i = Group.IdxX; i < count; i += GroupSums.Threads)
            {
                float value = x[step * count + i];
                sum.Add(value * value);
            }

            sum = GroupSums.Sum(highs, lows, sum);
            if (Group.IdxX == 0) AddToTotals(totals, step, sum, units);
        }
    }
}
