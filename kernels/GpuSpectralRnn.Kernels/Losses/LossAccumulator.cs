using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Adds up a loss call on the device: the items of a loss kernel leave one partial sum each, one more item or group adds them to the running totals
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

    /// <summary>Where item i of a loss kernel leaves its sum: [high, low] at 2 i.</summary>
    internal ArrayView<float> PartialSums => partialSums.AsArrayView<float>(0, Capacity * 2);

    /// <summary>Where item i of a loss kernel leaves its counts: [correct, rows] at 2 i.</summary>
    internal ArrayView<int> PartialCounts => partialCounts.AsArrayView<int>(0, Capacity * 2);

    /// <summary>Items a loss kernel over <paramref name="rows"/> rows runs with.</summary>
    internal int WidthFor(int rows) => Math.Max(1, Math.Min(loader.WidthFor(rows), Capacity));

    /// <summary>Adds the partial sums of <paramref name="items"/> items to the running totals.</summary>
    internal void Add(AcceleratorStream stream, int items, ArrayView<float> sums, ArrayView<long> counts)
    {
        AccumulatorArguments arguments = new(sums, counts, PartialSums, PartialCounts, items);
        if (byGroup is null) byItem(stream, 1, new(arguments));
        else byGroup(stream, 1, new(arguments));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        partialSums.Dispose();
        partialCounts.Dispose();
    }

    /// <summary>What the kernels take.</summary>
    internal readonly struct AccumulatorArguments(
        ArrayView<float> sums, // [high, low]
        ArrayView<long> counts, // [correct, rows, calls, first bad call]
        ArrayView<float> partialSums, // [items, 2]
        ArrayView<int> partialCounts, // [items, 2]
        int items)
    {
        /// <summary>Adds the partial sums from one item on, some apart.</summary>
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
            CompensatedSum total = Load(sums, 0);
            total.Add(call);
            sums[0] = total.High;
            sums[1] = total.Low;
            if (counts[3] < 0 && !Elementary.IsFinite(call.Rounded)) counts[3] = counts[2];
            counts[0] += correct;
            counts[1] += rows;
            counts[2] += 1;
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

    /// <summary>The same by a group, for devices where a lone item would wait for each of its numbers.</summary>
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
