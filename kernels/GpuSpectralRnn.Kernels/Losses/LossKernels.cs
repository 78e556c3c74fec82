using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Extents of a loss launch.</summary>
public struct LossExtents
{
    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Numbers in a row: classes, or values to meet.</summary>
    public int Columns;

    /// <summary>Items, or groups, launched.</summary>
    public int Width;

    /// <summary>1 where the gradient is written.</summary>
    public int WantsGradient;
}

/// <summary>The kernels of a loss, one by lone items and, where threads share memory, one by groups; each launch is added to the totals.</summary>
/// <typeparam name="TTarget">Labels, or numbers.</typeparam>
internal sealed class LossKernels<TTarget>
    where TTarget : unmanaged
{
    private readonly LossTally tally;
    private readonly ItemLauncher runItems;
    private readonly GroupLauncher? runGroups;

    /// <summary>Loads the kernels; groups are of <see cref="GroupSums.Threads"/>.</summary>
    public LossKernels(KernelLoader loader, LossTally tally, Delegate items, Delegate groups)
    {
        this.tally = tally;
        runItems = loader.Load<ItemLauncher>(items, 32);
        if (loader.CanShare(GroupSums.Threads)) runGroups = loader.LoadGrouped<GroupLauncher>(groups);
    }

    private delegate void ItemLauncher(
        AcceleratorStream stream,
        Index1D items,
        ArrayView<float> outputs,
        ArrayView<TTarget> targets,
        ArrayView<float> gradient,
        ArrayView<float> partialSums,
        ArrayView<int> partialCounts,
        LossExtents e,
        float factor);

    private delegate void GroupLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> outputs,
        ArrayView<TTarget> targets,
        ArrayView<float> gradient,
        ArrayView<float> partialSums,
        ArrayView<int> partialCounts,
        LossExtents e,
        float factor);

    /// <summary>Whether there are kernels by groups.</summary>
    public bool HasGroups => runGroups is not null;

    /// <summary>Computes the loss by so many items or groups and adds it to the totals.</summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="inGroups">By groups, which must be there.</param>
    /// <param name="width">Items or groups.</param>
    /// <param name="outputs">[rows, columns].</param>
    /// <param name="targets">[rows], or [rows, columns].</param>
    /// <param name="gradient">[rows, columns]; may be the outputs; null where none is wanted.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Numbers in a row.</param>
    /// <param name="factor">On the gradient.</param>
    /// <param name="sums">The totals' sums.</param>
    /// <param name="counts">The totals' counts.</param>
    public void Run(
        AcceleratorStream stream,
        bool inGroups,
        int width,
        ArrayView<float> outputs,
        ArrayView<TTarget> targets,
        ArrayView<float>? gradient,
        int rows,
        int columns,
        float factor,
        ArrayView<float> sums,
        ArrayView<long> counts)
    {
        LossExtents extents = new() { Rows = rows, Columns = columns, Width = width, WantsGradient = gradient is null ? 0 : 1 };
        ArrayView<float> slopes = gradient ?? outputs;
        (ArrayView<float> partialSums, ArrayView<int> partialCounts) = (tally.PartialSums, tally.PartialCounts);
        if (inGroups)
            runGroups!(stream, new KernelConfig(width, GroupSums.Threads), outputs, targets, slopes, partialSums, partialCounts, extents, factor);
        else
            runItems(stream, width, outputs, targets, slopes, partialSums, partialCounts, extents, factor);
        tally.Add(stream, width, sums, counts);
    }
}
