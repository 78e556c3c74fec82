using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Arguments of sums of squares step by step.</summary>
public readonly struct StepSquaresArguments(ArrayView<float> x, ArrayView<float> totals, int count, float units)
{
    /// <summary>[T, count].</summary>
    public readonly ArrayView<float> X = x;

    /// <summary>Running totals [T, 2] as (high, low) of a compensated sum.</summary>
    public readonly ArrayView<float> Totals = totals;

    /// <summary>Numbers of a step.</summary>
    public readonly int Count = count;

    /// <summary>Divisor of the sums.</summary>
    public readonly float Units = units;

    /// <summary>Adds a step's sum over <see cref="Units"/> to its total.</summary>
    internal void AddToTotals(int step, CompensatedSum sum)
    {
        CompensatedSum total = new() { High = Totals[2 * step], Low = Totals[2 * step + 1] };
        total.Add(new CompensatedSum { High = sum.High / Units, Low = sum.Low / Units });
        Totals[2 * step] = total.High;
        Totals[2 * step + 1] = total.Low;
    }
}

/// <summary>
/// Sums of squares step by step, added to running totals in a fixed order: by one item for each step, or by one group where threads share memory.
/// </summary>
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

    /// <summary>totals[t] += sum_i x[t, i]^2 / units, for T steps.</summary>
    public void Run(AcceleratorStream stream, StepSquaresArguments arguments, int steps)
    {
        if (steps == 0 || arguments.Count == 0) return;
        if (groups is null) items(stream, steps, new(arguments));
        else groups(stream, steps, new(arguments));
    }

    /// <summary>One item, one step.</summary>
    internal readonly struct ByItems(StepSquaresArguments a) : IItemKernel
    {
        public void Run(int item)
        {
            CompensatedSum sum = default;
            for (int i = item * a.Count; i < (item + 1) * a.Count; i++) sum.Add(a.X[i] * a.X[i]);
            a.AddToTotals(item, sum);
        }
    }

    /// <summary>One group, one step.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct ByGroups(StepSquaresArguments a) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> highs = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<float> lows = SharedMemory.Allocate<float>(GroupSums.Threads);
            int step = Grid.IdxX;
            CompensatedSum sum = default;
            for (int i = Group.IdxX; i < a.Count; i += GroupSums.Threads)
            {
                float value = a.X[step * a.Count + i];
                sum.Add(value * value);
            }

            sum = GroupSums.Sum(highs, lows, sum);
            if (Group.IdxX == 0) a.AddToTotals(step, sum);
        }
    }
}
