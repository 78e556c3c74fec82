using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Adds up a loss call on the device: the items of a loss kernel leave one partial sum each, one more item or group adds them to the running totals
/// in a fixed order. Totals are [high, low] of the compensated loss and [correct, rows, calls, first bad call] as counts.
/// </summary>
public sealed class LossTally : IDisposable
{
    /// <summary>Numbers in the sums of a running total.</summary>
    public const int Sums = 2;

    /// <summary>Numbers in the counts of a running total.</summary>
    public const int Counts = 4;

    private const int Capacity = 4096; // enough that the rows of a batch of sequences have an item each

    private readonly KernelLoader loader;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<long>, ArrayView<float>, ArrayView<int>, int> finish;
    private readonly GroupLauncher? finishInGroup;
    private readonly MemoryBuffer partialSums;
    private readonly MemoryBuffer partialCounts;

    private delegate void GroupLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> sums,
        ArrayView<long> counts,
        ArrayView<float> partialSums,
        ArrayView<int> partialCounts,
        int items);

    /// <summary>Loads the kernels.</summary>
    public LossTally(KernelLoader loader)
    {
        this.loader = loader;
        finish = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<long>, ArrayView<float>, ArrayView<int>, int>>(Finish);
        if (loader.CanShare(GroupSums.Threads))
            finishInGroup = loader.LoadGrouped<GroupLauncher>(FinishInGroup);
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
        if (finishInGroup is null) finish(stream, 1, sums, counts, PartialSums, PartialCounts, items);
        else finishInGroup(stream, new KernelConfig(1, GroupSums.Threads), sums, counts, PartialSums, PartialCounts, items);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        partialSums.Dispose();
        partialCounts.Dispose();
    }

    [KernelEntry]
    internal static void Finish(
        Index1D index,
        ArrayView<float> sums, // [high, low]
        ArrayView<long> counts, // [correct, rows, calls, first bad call]
        ArrayView<float> partialSums, // [items, 2]
        ArrayView<int> partialCounts, // [items, 2]
        int items)
    {
        CompensatedSum call = default;
        long correct = 0;
        long rows = 0;
        for (int i = 0; i < items; i++)
        {
            call.Add(Load(partialSums, i));
            correct += partialCounts[2 * i];
            rows += partialCounts[2 * i + 1];
        }

        AddToTotals(sums, counts, call, correct, rows);
    }

    /// <summary>The same by a group, for devices where a lone item would wait for each of its numbers.</summary>
    [KernelEntry(GroupSize = GroupSums.Threads)]
    internal static void FinishInGroup(
        ArrayView<float> sums, // [high, low]
        ArrayView<long> counts, // [correct, rows, calls, first bad call]
        ArrayView<float> partialSums, // [items, 2]
        ArrayView<int> partialCounts, // [items, 2]
        int items)
    {
        ArrayView<float> highs = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<float> lows = SharedMemory.Allocate<float>(GroupSums.Threads);
        ArrayView<int> numbers = SharedMemory.Allocate<int>(GroupSums.Threads);
        CompensatedSum call = default;
        int correct = 0;
        int rows = 0;
        for (int i = Group.IdxX; i < items; i += GroupSums.Threads)
        {
            call.Add(Load(partialSums, i));
            correct += partialCounts[2 * i];
            rows += partialCounts[2 * i + 1];
        }

        call = GroupSums.Sum(highs, lows, call);
        correct = GroupSums.Sum(numbers, correct);
        rows = GroupSums.Sum(numbers, rows);
        if (Group.IdxX == 0) AddToTotals(sums, counts, call, correct, rows);
    }

    private static void AddToTotals(ArrayView<float> sums, ArrayView<long> counts, CompensatedSum call, long correct, long rows)
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

    /// <summary>Leaves an item's sum and counts.</summary>
    internal static void Store(ArrayView<float> partialSums, ArrayView<int> partialCounts, int item, CompensatedSum sum, int correct, int rows)
    {
        partialSums[2 * item] = sum.High;
        partialSums[2 * item + 1] = sum.Low;
        partialCounts[2 * item] = correct;
        partialCounts[2 * item + 1] = rows;
    }

    private static CompensatedSum Load(ArrayView<float> pairs, int index)
    {
        CompensatedSum sum = default;
        sum.High = pairs[2 * index];
        sum.Low = pairs[2 * index + 1];
        return sum;
    }
}
