using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>The GRU (<see cref="Gru"/>), one launch a step, with as many threads as a graphics processor wants: <see cref="StepSlices"/>.</summary>
public sealed class SlicedGru : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> gates,
        ArrayView<float> products,
        ArrayView<float> states,
        ArrayView<float> output,
        ArrayView<float> weights,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step,
        int keepsProducts);

    private delegate void BackwardLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> gates,
        ArrayView<float> products,
        ArrayView<float> outputGradient,
        ArrayView<float> states,
        ArrayView<float> weights,
        ArrayView<float> carry,
        ArrayView<int> lengths,
        RecurrentStep step);

    /// <summary>Loads the kernels.</summary>
    public SlicedGru(KernelLoader loader)
    {
        transpose = new Transpose(loader);
        forwardStep = loader.LoadGrouped<ForwardLauncher>(ForwardStep, StepSlices.Threads);
        backwardStep = loader.LoadGrouped<BackwardLauncher>(BackwardStep, StepSlices.Threads);
    }

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => 3 * width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        transpose.Run(stream, o.Weights, o.Arranged, 3 * o.Walk.Width, o.Walk.Width);
        KernelConfig groups = new(StepSlices.Groups((o.Walk.Batch + 3) / 4 * o.Walk.Width), StepSlices.Threads);
        int keepsProducts = o.ProductGradient.Length == o.Gates.Length ? 1 : 0;
        for (int i = 0; i < o.Walk.Steps; i++)
        {
            RecurrentStep step = o.Walk.Forward(i, o.StartsAtZero);
            forwardStep(
                stream, groups, o.Gates, o.ProductGradient, o.States, o.Output, o.Arranged, o.InputBias, o.HiddenBias, o.Lengths, step, keepsProducts);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        KernelConfig groups = new(StepSlices.Groups((o.Walk.Batch + 3) / 4 * ((o.Walk.Width + 3) / 4)), StepSlices.Threads);
        for (int i = o.Walk.Steps - 1; i >= 0; i--)
        {
            RecurrentStep step = o.Walk.Backward(i, 3, o.GradientFrom);
            backwardStep(stream, groups, o.Gates, o.ProductGradient, o.OutputGradient, o.States, o.Weights, o.Carry, o.Lengths, step);
        }
    }

    /// <summary>A tile is 4 batch rows of one unit's gates; four of its threads finish a row each.</summary>
    [KernelEntry]
    internal static void ForwardStep(
        ArrayView<float> gates, // [T, B, 3H], x_t W_ih^T before
        ArrayView<float> products, // [T, B, 3H]: q_n in its block n, where it is kept
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> output, // [T, B, H]
        ArrayView<float> weights, // W_hh^T [H, 3H]
        ArrayView<float> inputBias, // [3H]
        ArrayView<float> hiddenBias, // [3H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step,
        int keepsProducts)
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int width = step.Width;
        int row = own.Tile / width * 4;
        int unit = own.Tile % width;
        own.Sum(shared, step, states, step.Before, width, weights, 3 * width, row, Places.Of(unit, width, 3 * width, 1));
        if (own.Slice < 4)
            Gru.Forward(gates, products, states, output, inputBias, hiddenBias, lengths, step, keepsProducts, row + own.Slice, unit, own.Row(shared));
    }

    /// <summary>A tile is 4 batch rows of 4 units that lie a grid apart; each thread finishes one unit of one row.</summary>
    [KernelEntry]
    internal static void BackwardStep(
        ArrayView<float> gates, // [T, B, 3H], replaced by the gradients of the pre-activations
        ArrayView<float> products, // [T, B, 3H]: q_n in its block n, replaced by the gradients of q
        ArrayView<float> outputGradient, // [T, B, H]
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> weights, // W_hh [3H, H]
        ArrayView<float> carry, // [B, H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
    {
        ArrayView<Quad> shared = StepSlices.Allocate();
        StepSlices own = StepSlices.Own();
        int width = step.Width;
        int across = (width + 3) / 4;
        int row = own.Tile / across * 4;
        int column = own.Tile % across;
        own.Sum(shared, step, products, step.Following, 3 * width, weights, width, row, Places.Of(column, across, width, 1));
        int unit = column + own.Slice % 4 * across;
        Gru.Backward(gates, products, outputGradient, states, carry, lengths, step, row + own.Slice / 4, unit, own.Element(shared));
    }
}
