using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Running totals of losses in device memory.</summary>
public struct LossTotalsViews
{
    /// <summary>[high, low] of the compensated loss.</summary>
    public ArrayView<float> Sums;

    /// <summary>[correct, rows, calls, first bad call].</summary>
    public ArrayView<long> Counts;
}

/// <summary>
/// Adds up a loss call on the device: the items of a loss kernel store one partial sum each; one more item or group adds them to the running totals
/// in a fixed order. Totals are [high, low] of the compensated loss and [correct, rows, calls, first bad call] as counts.
/// </summary>
public sealed class LossAccumulator : IDisposable
{
    /// <summary>Numbers in the sums of a running total.</summary>
    public const int Sums = 2;

    /// <summary>Numbers in the counts of a running total.</summary>
    public const int Counts = 4;

    private const int Capacity = 4096; // enough that the rows of a batch of sequences have an item each

    private readonly KernelLoader loader;
    private readonly Launcher<AccumulateByItem> byItem;
    private readonly Launcher<AccumulateByGroup>? byGroup;
    private readonly MemoryBuffer partialSums;
    private readonly MemoryBuffer partialCounts;

    /// <summary>Loads the kernels.</summary>
    public LossAccumulator(KernelLoader loader)
    {
        this.loader = loader;
        byItem = loader.Items<AccumulateByItem>();
        if (loader.CanShare(GroupSums.Threads)) byGroup = loader.Groups<AccumulateByGroup>();
        partialSums = loader.Memory.Allocate(Capacity * 2, sizeof(float));
        partialCounts = loader.Memory.Allocate(Capacity * 2, sizeof(int));
    }

    /// <summary>Partial sums of items: [high, low] of item i at 2 i.</summary>
    internal ArrayView<float> PartialSums => partialSums.AsArrayView<float>(0, Capacity * 2);

    /// <summary>Partial counts of items: [correct, rows] of item i at 2 i.</summary>
    internal ArrayView<int> PartialCounts => partialCounts.AsArrayView<int>(0, Capacity * 2);

    /// <summary>Items a loss kernel over <paramref name="rows"/> rows runs with.</summary>
    internal int WidthFor(int rows) => Math.Max(1, Math.Min(loader.WidthFor(rows), Capacity));

    /// <summary>Adds the partial sums of <paramref name="items"/> items to the running totals.</summary>
    internal void Add(AcceleratorStream stream, int items, LossTotalsViews totals)
    {
        AccumulatorArguments arguments = new(totals, PartialSums, PartialCounts, items);
        if (byGroup is null) byItem(stream, 1, new(arguments));
        else byGroup(stream, 1, new(arguments));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        partialSums.Dispose();
        partialCounts.Dispose();
    }

    /// <summary>Arguments of both kernels.</summary>
    internal readonly struct AccumulatorArguments(
        LossTotalsViews totals,
        ArrayView<float> partialSums, // [items, 2]
        ArrayView<int> partialCounts, // [items, 2]
        int items)
    {
        /// <summary>Adds the partial sums of items first, first + step, ...</summary>
        public void Collect(int first, int step, ref CompensatedSum call, ref int correct, ref int rows)
        {
            for (int i = first; i < items; i += step)
            {
                call.Add(Load(partialSums, i));
                correct += partialCounts[2 * i];
                rows += partialCounts[2 * i + 1];
            }
        }

        /// <summary>Adds a call's sum to the totals.</summary>
        public void AddToTotals(CompensatedSum call, int correct, int rows)
        {
            CompensatedSum total = Load(totals.Sums, 0);
            total.Add(call);
            totals.Sums[0] = total.High;
            totals.Sums[1] = total.Low;
            if (totals.Counts[3] < 0 && !Elementary.IsFinite(call.Rounded)) totals.Counts[3] = totals.Counts[2];
            totals.Counts[0] += correct;
            totals.Counts[1] += rows;
            totals.Counts[2] += 1;
        }

        private static CompensatedSum Load(ArrayView<float> pairs, int index)
        {
            CompensatedSum sum = default;
            sum.High = pairs[2 * index];
            sum.Low = pairs[2 * index + 1];
            return sum;
        }
    }

    internal readonly struct AccumulateByItem(AccumulatorArguments accumulator) : IItemKernel
    {
        public void Run(int item)
        {
            CompensatedSum call = default;
            int correct = 0;
            int rows = 0;
            accumulator.Collect(item, 1, ref call, ref correct, ref rows);
            accumulator.AddToTotals(call, correct, rows);
        }
    }

    /// <summary>The same by one group, for GPUs, where a single item would be bound by memory latency.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct AccumulateByGroup(AccumulatorArguments accumulator) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> highs = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<float> lows = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<int> numbers = SharedMemory.Allocate<int>(GroupSums.Threads);
            CompensatedSum call = default;
            int correct = 0;
            int rows = 0;
            accumulator.Collect(Group.IdxX, GroupSums.Threads, ref call, ref correct, ref rows);
            call = GroupSums.Sum(highs, lows, call);
            correct = GroupSums.Sum(numbers, correct);
            rows = GroupSums.Sum(numbers, rows);
            if (Group.IdxX == 0) accumulator.AddToTotals(call, correct, rows);
        }
    }
}
