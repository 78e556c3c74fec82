using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>A recurrent cell that takes its steps one by one.</summary>
internal abstract class StepwiseCell<TCell>(KernelLoader loader) : RecurrentCell
    where TCell : ICell
{
    private readonly Launcher<Transpose> transpose = loader.Elements<Transpose>();

    /// <summary>
    /// Loads the kernels: products that skip blocks of zeros where they are asked for, else steps in slices where threads gain by sharing memory,
    /// else products and units.
    /// </summary>
    public static RecurrentCell Load(KernelLoader loader, Gemm gemm, bool skipsBlocks) =>
        skipsBlocks ? new BlockCell<TCell>(loader, gemm)
        : loader.CanShare(StepSlices.Threads) ? new SlicedCell<TCell>(loader) : new PlainCell<TCell>(loader, gemm);

    /// <inheritdoc/>
    public override int ArrangedCount(int batch, int width) => TCell.Gates * width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        RecurrentWalk walk = o.Walk;
        transpose(stream, TCell.Gates * walk.Width * walk.Width, new(o.Views.Weights, o.Arranged, TCell.Gates * walk.Width, walk.Width));
        Prepare(stream, o, o.Arranged, walk.Width, TCell.Gates * walk.Width);
        StepArguments arguments = new() { Views = Views(o) with { Weights = o.Arranged } };
        for (int i = 0; i < walk.Steps; i++)
        {
            arguments.Step = walk.Forward(i, o.StartsAtZero);
            ForwardStep(stream, walk, arguments);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        RecurrentWalk walk = o.Walk;
        Prepare(stream, o, o.Views.Weights, TCell.Gates * walk.Width, walk.Width);
        StepArguments arguments = new() { Views = Views(o) };
        for (int i = walk.Steps - 1; i >= 0; i--)
        {
            arguments.Step = walk.Backward(i, TCell.Gates, o.GradientFrom);
            BackwardStep(stream, walk, arguments);
        }
    }

    /// <summary>Looks at the right-hand side of a pass's products, W [terms, outputs], before its steps.</summary>
    protected virtual void Prepare(AcceleratorStream stream, in RecurrentOperands o, ArrayView<float> weights, int terms, int outputs)
    {
    }

    /// <summary>What a pass's steps read and write.</summary>
    protected virtual RecurrentViews Views(in RecurrentOperands o) => o.Views;

    /// <summary>Computes a step.</summary>
    protected abstract void ForwardStep(AcceleratorStream stream, in RecurrentWalk walk, in StepArguments arguments);

    /// <summary>Computes a step backward.</summary>
    protected abstract void BackwardStep(AcceleratorStream stream, in RecurrentWalk walk, in StepArguments arguments);
}

/// <summary>A step is a product, then a launch of a thread for each unit (<see cref="StepUnit"/>).</summary>
internal class PlainCell<TCell>(KernelLoader loader, Gemm gemm) : StepwiseCell<TCell>(loader)
    where TCell : ICell
{
    private readonly Launcher<StepUnit.Forward<TCell>> forward = loader.Groups<StepUnit.Forward<TCell>>(loader.GroupSizeFor(StepUnit.Threads));
    private readonly Launcher<StepUnit.Backward<TCell>> backward = loader.Groups<StepUnit.Backward<TCell>>(loader.GroupSizeFor(StepUnit.Threads));
    private readonly int threads = loader.GroupSizeFor(StepUnit.Threads);

    /// <inheritdoc/>
    public override int ArrangedCount(int batch, int width) => base.ArrangedCount(batch, width) + TCell.Gates * batch * width;

    /// <summary>Y [rows, outputs] = X [rows, terms] W; with no terms summed zeros.</summary>
    protected virtual void Multiply(AcceleratorStream stream, in RecurrentWalk walk, ArrayView<float> left, in StepArguments a, int terms,
        int outputs) =>
        gemm.Run(stream, new(left, a.Views.Weights, a.Views.StepProducts, walk.Batch, outputs, a.Step.Summed));

    /// <inheritdoc/>
    protected override RecurrentViews Views(in RecurrentOperands o)
    {
        int weights = TCell.Gates * o.Walk.Width * o.Walk.Width;
        return o.Views with { StepProducts = o.Arranged.SubView(weights, TCell.Gates * o.Walk.Batch * o.Walk.Width) };
    }

    /// <inheritdoc/>
    protected override void ForwardStep(AcceleratorStream stream, in RecurrentWalk walk, in StepArguments a)
    {
        (int b, int h) = (walk.Batch, walk.Width);
        ArrayView<float> before = a.Views.States.SubView(a.Step.Before * b * h, b * h); // [B, H]
        Multiply(stream, walk, before, a, h, TCell.Gates * h);
        forward(stream, StepUnit.Groups(walk, threads), new(a));
    }

    /// <inheritdoc/>
    protected override void BackwardStep(AcceleratorStream stream, in RecurrentWalk walk, in StepArguments a)
    {
        (int b, int h) = (walk.Batch, walk.Width);
        int gates = TCell.Gates;
        ArrayView<float> following = TCell.ProductGradient(a.Views).SubView(a.Step.Following * b * gates * h, b * gates * h); // [B, G*H]
        Multiply(stream, walk, following, a, gates * h, h);
        backward(stream, StepUnit.Groups(walk, threads), new(a));
    }
}

/// <summary>
/// A step is a launch in which sixteen threads share a tile of 4 batch rows and 4 units, forward in gated cells one: <see cref="StepSlices"/>.
/// </summary>
internal sealed class SlicedCell<TCell>(KernelLoader loader) : StepwiseCell<TCell>(loader)
    where TCell : ICell
{
    private readonly Launcher<StepSlices.Forward<TCell>> forward = loader.Groups<StepSlices.Forward<TCell>>();
    private readonly Launcher<StepSlices.Backward<TCell>> backward = loader.Groups<StepSlices.Backward<TCell>>();

    /// <summary>A step is one launch; products take memory as they need it, and cannot be repeated.</summary>
    public override bool IsReplayable => true;

    /// <inheritdoc/>
    protected override void ForwardStep(AcceleratorStream stream, in RecurrentWalk walk, in StepArguments a) =>
        forward(stream, Groups(walk, TCell.Gates == 1 ? 4 : 1), new(a));

    /// <inheritdoc/>
    protected override void BackwardStep(AcceleratorStream stream, in RecurrentWalk walk, in StepArguments a) =>
        backward(stream, Groups(walk, 4), new(a));

    private static int Groups(in RecurrentWalk walk, int unitsPerTile) =>
        StepSlices.Groups((walk.Batch + 3) / 4 * ((walk.Width + unitsPerTile - 1) / unitsPerTile));
}
