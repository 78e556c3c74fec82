using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Elman's recurrence (<see cref="Elman"/>), one launch a step, with as many threads as a graphics processor wants: <see cref="StepSlices"/>.</summary>
public sealed class SlicedElman : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> output,
        ArrayView<float> states,
        ArrayView<float> weights,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step);

    private delegate void BackwardLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> gradient,
        ArrayView<float> states,
        ArrayView<float> weights,
        ArrayView<float> carry,
        ArrayView<int> lengths,
        RecurrentStep step);

    private SlicedElman(Transpose transpose, ForwardLauncher forwardStep, BackwardLauncher backwardStep)
    {
        this.transpose = transpose;
        this.forwardStep = forwardStep;
        this.backwardStep = backwardStep;
    }

    /// <summary>Loads the kernels of one nonlinearity.</summary>
    public static SlicedElman Load<TActivation>(KernelLoader loader)
        where TActivation : unmanaged, IActivation => new(
            new Transpose(loader),
            loader.LoadGrouped<ForwardLauncher>(ForwardStep<TActivation>, StepSlices.Threads),
            loader.LoadGrouped<BackwardLauncher>(BackwardStep<TActivation>, StepSlices.Threads));

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        transpose.Run(stream, o.Weights, o.Arranged, o.Walk.Width, o.Walk.Width);
        KernelConfig groups = Groups(o.Walk);
        for (int i = 0; i < o.Walk.Steps; i++)
        {
            RecurrentStep step = o.Walk.Forward(i, o.StartsAtZero);
            forwardStep(stream, groups, o.Gates, o.States, o.Arranged, o.InputBias, o.HiddenBias, o.Lengths, step);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        KernelConfig groups = Groups(o.Walk);
        for (int i = o.Walk.Steps - 1; i >= 0; i--)
        {
            RecurrentStep step = o.Walk.Backward(i, 1, o.GradientFrom);
            backwardStep(stream, groups, o.Gates, o.States, o.Weights, o.Carry, o.Lengths, step);
        }
    }

    private static KernelConfig Groups(RecurrentWalk walk) =>
        new(StepSlices.Groups((walk.Batch + 3) / 4 * ((walk.Width + 3) / 4)), StepSlices.Threads);

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent))]
    internal static void ForwardStep<TActivation>(
        ArrayView<float> output, // [T, B, H], x_t W_ih^T before
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> weights, // W_hh^T [H, H]
        ArrayView<float> inputBias, // [H]
        ArrayView<float> hiddenBias, // [H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int across = (step.Width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, states, step.Before, step.Width, weights, step.Width, row, Places.Of(column, across, step.Width, 1));
        int unit = column + own.Slice % 4 * across;
        Elman.Forward<TActivation>(output, states, inputBias, hiddenBias, lengths, step, row + own.Slice / 4, unit, own.Element(shared));
    }

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent))]
    internal static void BackwardStep<TActivation>(
        ArrayView<float> gradient, // [T, B, H], dL/dh_t before, delta_t after
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> weights, // W_hh [H, H]
        ArrayView<float> carry, // [B, H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int across = (step.Width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, gradient, step.Following, step.Width, weights, step.Width, row, Places.Of(column, across, step.Width, 1));
        int unit = column + own.Slice % 4 * across;
        Elman.Backward<TActivation>(gradient, states, carry, lengths, step, row + own.Slice / 4, unit, own.Element(shared));
    }
}
