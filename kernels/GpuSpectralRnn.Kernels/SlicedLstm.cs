using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>The LSTM (<see cref="Lstm"/>), one launch a step, with as many threads as a graphics processor wants: <see cref="StepSlices"/>.</summary>
public sealed class SlicedLstm : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> gates,
        ArrayView<float> states,
        ArrayView<float> cellStates,
        ArrayView<float> output,
        ArrayView<float> weights,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step);

    private delegate void BackwardLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> gates,
        ArrayView<float> outputGradient,
        ArrayView<float> cellStates,
        ArrayView<float> weights,
        ArrayView<float> carry,
        ArrayView<float> cellCarry,
        ArrayView<int> lengths,
        RecurrentStep step);

    /// <summary>Loads the kernels.</summary>
    public SlicedLstm(KernelLoader loader)
    {
        transpose = new Transpose(loader);
        forwardStep = loader.LoadGrouped<ForwardLauncher>(ForwardStep, StepSlices.Threads);
        backwardStep = loader.LoadGrouped<BackwardLauncher>(BackwardStep, StepSlices.Threads);
    }

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => 4 * width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        transpose.Run(stream, o.Weights, o.Arranged, 4 * o.Walk.Width, o.Walk.Width);
        KernelConfig groups = new(StepSlices.Groups((o.Walk.Batch + 3) / 4 * o.Walk.Width), StepSlices.Threads);
        for (int i = 0; i < o.Walk.Steps; i++)
        {
            RecurrentStep step = o.Walk.Forward(i, o.StartsAtZero);
            forwardStep(stream, groups, o.Gates, o.States, o.CellStates, o.Output, o.Arranged, o.InputBias, o.HiddenBias, o.Lengths, step);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        KernelConfig groups = new(StepSlices.Groups((o.Walk.Batch + 3) / 4 * ((o.Walk.Width + 3) / 4)), StepSlices.Threads);
        for (int i = o.Walk.Steps - 1; i >= 0; i--)
        {
            RecurrentStep step = o.Walk.Backward(i, 4, o.GradientFrom);
            backwardStep(stream, groups, o.Gates, o.OutputGradient, o.CellStates, o.Weights, o.Carry, o.CellCarry, o.Lengths, step);
        }
    }

    /// <summary>A tile is 4 batch rows of one unit's gates; four of its threads finish a row each.</summary>
    [KernelEntry]
    internal static void ForwardStep(
        ArrayView<float> gates, // [T, B, 4H], x_t W_ih^T before
        ArrayView<float> states, // h [T + 1, B, H]
        ArrayView<float> cellStates, // c [T + 1, B, H]
        ArrayView<float> output, // [T, B, H]
        ArrayView<float> weights, // W_hh^T [H, 4H]
        ArrayView<float> inputBias, // [4H]
        ArrayView<float> hiddenBias, // [4H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int width = step.Width;
        int row = own.Tile / width * 4;
        int unit = own.Tile % width;
        own.Sum(shared, step, states, step.Before, width, weights, 4 * width, row, Places.Of(unit, width, 4 * width, 1));
        if (own.Slice < 4)
            Lstm.Forward(gates, states, cellStates, output, inputBias, hiddenBias, lengths, step, row + own.Slice, unit, own.Row(shared));
    }

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry]
    internal static void BackwardStep(
        ArrayView<float> gates, // [T, B, 4H], replaced by the gradients of the pre-activations
        ArrayView<float> outputGradient, // [T, B, H]
        ArrayView<float> cellStates, // c [T + 1, B, H]
        ArrayView<float> weights, // W_hh [4H, H]
        ArrayView<float> carry, // [B, H]
        ArrayView<float> cellCarry, // [B, H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int width = step.Width;
        int across = (width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, gates, step.Following, 4 * width, weights, width, row, Places.Of(column, across, width, 1));
        int unit = column + own.Slice % 4 * across;
        Lstm.Backward(gates, outputGradient, cellStates, carry, cellCarry, lengths, step, row + own.Slice / 4, unit, own.Element(shared));
    }
}
