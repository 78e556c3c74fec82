using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Arguments of a loss kernel.</summary>
/// <typeparam name="TTarget">int for labels, float for values.</typeparam>
public struct LossArguments<TTarget>
    where TTarget : unmanaged
{
    /// <summary>Logits or predictions [rows, columns].</summary>
    public ArrayView<float> Outputs;

    /// <summary>Labels [rows], or values [rows, columns].</summary>
    public ArrayView<TTarget> Targets;

    /// <summary>[rows, columns]; may be the outputs; written where <see cref="WantsGradient"/> is 1.</summary>
    public ArrayView<float> Gradient;

    /// <summary>[width, 2]; receives each item's or group's sum as [high, low]; set by the launcher.</summary>
    public ArrayView<float> PartialSums;

    /// <summary>[width, 2]; receives each item's or group's counts [correct, rows]; set by the launcher.</summary>
    public ArrayView<int> PartialCounts;

    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Length of a row: classes, or values.</summary>
    public int Columns;

    /// <summary>Number of items or groups launched; set by the launcher.</summary>
    public int Width;

    /// <summary>1 where the gradient is written.</summary>
    public int WantsGradient;

    /// <summary>Factor on the gradient.</summary>
    public float Scale;

    /// <summary>Arguments of one call.</summary>
    public LossArguments(ArrayView<float> outputs, ArrayView<TTarget> targets, ArrayView<float>? gradient, int rows, int columns, float scale)
    {
        Outputs = outputs;
        Targets = targets;
        Gradient = gradient ?? outputs;
        WantsGradient = gradient is null ? 0 : 1;
        Rows = rows;
        Columns = columns;
        Scale = scale;
    }

    /// <summary>Stores an item's sum and counts.</summary>
    internal readonly void Store(int item, CompensatedSum sum, int correct, int rows)
    {
        PartialSums[2 * item] = sum.High;
        PartialSums[2 * item + 1] = sum.Low;
        PartialCounts[2 * item] = correct;
        PartialCounts[2 * item + 1] = rows;
    }
}

/// <summary>A loss by groups of <see cref="GroupSums.Threads"/>.</summary>
/// <typeparam name="TSelf">The kernel.</typeparam>
/// <typeparam name="TTarget">int for labels, float for values.</typeparam>
internal interface ILossGroups<TSelf, TTarget> : IGroupKernel, IKernelWith<TSelf, LossArguments<TTarget>>
    where TSelf : struct
    where TTarget : unmanaged
{
    /// <summary>Number of groups to launch, at most <paramref name="most"/>; 0 where items are faster.</summary>
    static abstract int GroupsFor(int rows, int columns, int most);
}

/// <summary>
/// A loss over rows with its gradient in the same pass: by items, each every width-th row, or by groups, where threads share memory and the extents
/// make that faster. Each call is added to running totals.
/// </summary>
public abstract class Loss<TTarget>
    where TTarget : unmanaged
{
    /// <summary>Adds the loss of every row to the totals, and writes the gradient where it is wanted.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="arguments">What to compute.</param>
    /// <param name="totals">What the losses are added to.</param>
    public abstract void Run(AcceleratorStream stream, LossArguments<TTarget> arguments, LossTotalsViews totals);
}

/// <summary>The three losses.</summary>
public static class Losses
{
    /// <summary>
    /// Softmax cross-entropy per row, -log softmax(logits)[label], of rows whose label is not negative; gradient scale (softmax - onehot).
    /// </summary>
    public static Loss<int> SoftmaxCrossEntropy(KernelLoader loader, LossAccumulator accumulator) =>
        new Loss<int, SoftmaxCrossEntropyRows, SoftmaxCrossEntropyGroups>(loader, accumulator);

    /// <summary>KL(softmax(targets) || softmax(logits)) per row; gradient scale (softmax(logits) - softmax(targets)).</summary>
    public static Loss<float> SoftmaxDivergence(KernelLoader loader, LossAccumulator accumulator) =>
        new Loss<float, SoftmaxDivergenceRows, SoftmaxDivergenceGroups>(loader, accumulator);

    /// <summary>Mean squared error per row, (1/D) sum_d (prediction - target)^2; gradient scale (prediction - target).</summary>
    public static Loss<float> MeanSquaredError(KernelLoader loader, LossAccumulator accumulator) =>
        new Loss<float, MeanSquaredErrorRows, MeanSquaredErrorGroups>(loader, accumulator);
}

/// <summary>The kernels of a loss.</summary>
internal sealed class Loss<TTarget, TItems, TGroups>(KernelLoader loader, LossAccumulator accumulator) : Loss<TTarget>
    where TTarget : unmanaged
    where TItems : struct, IItemKernel, IKernelWith<TItems, LossArguments<TTarget>>
    where TGroups : struct, ILossGroups<TGroups, TTarget>
{
    private readonly Launcher<TItems> items = loader.Items<TItems>();
    private readonly Launcher<TGroups>? groups = loader.CanShare(GroupSums.Threads) ? loader.Groups<TGroups>() : null;

    /// <inheritdoc/>
    public override void Run(AcceleratorStream stream, LossArguments<TTarget> arguments, LossTotalsViews totals)
    {
        int width = accumulator.WidthFor(arguments.Rows);
        int inGroups = groups is null ? 0 : TGroups.GroupsFor(arguments.Rows, arguments.Columns, width);
        arguments.Width = inGroups > 0 ? inGroups : width;
        (arguments.PartialSums, arguments.PartialCounts) = (accumulator.PartialSums, accumulator.PartialCounts);
        if (inGroups > 0) groups!(stream, inGroups, TGroups.With(arguments));
        else items(stream, width, TItems.With(arguments));
        accumulator.Add(stream, arguments.Width, totals);
    }
}
