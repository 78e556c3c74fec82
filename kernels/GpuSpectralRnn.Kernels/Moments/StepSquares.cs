using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Sums of squares step by step, added to running totals [T, (high, low)] in a fixed order: an item a step, or a group where threads share memory.</summary>
public sealed class StepSquares
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, float> items;
    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, int, float>? groups;

    /// <summary>Loads the kernel.</summary>
    public StepSquares(KernelLoader loader)
    {
        items = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, float>>(Steps);
        if (loader.CanShare(GroupSums.Threads))
            groups = loader.LoadGrouped<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, int, float>>(StepsInGroups);
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
        if (groups is null) items(stream, steps, x, totals, count, units);
        else groups(stream, new KernelConfig(steps, GroupSums.Threads), x, totals, count, units);
    }

    [KernelEntry]
    internal static void Steps(
        Index1D step,
        ArrayView<float> x, // [T, count]
        ArrayView<float> totals, // [T, 2]
        int count,
        float units)
    {
        CompensatedSum sum = default;
        for (int i = step * count; i < (step + 1) * count; i++) sum.Add(x[i] * x[i]);
        AddToTotals(totals, step, sum, units);
    }

    [KernelEntry(GroupSize = GroupSums.Threads)]
    internal static void StepsInGroups(
        ArrayView<float> x, // [T, count]
        ArrayView<float> totals, // [T, 2]
        int count,
        float units)
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

    private static void AddToTotals(ArrayView<float> totals, int step, CompensatedSum sum, float units)
    {
        CompensatedSum total = new() { High = totals[2 * step], Low = totals[2 * step + 1] };
        total.Add(new CompensatedSum { High = sum.High / units, Low = sum.Low / units });
        totals[2 * step] = total.High;
        totals[2 * step + 1] = total.Low;
    }
}
