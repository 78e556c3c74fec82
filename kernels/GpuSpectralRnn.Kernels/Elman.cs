using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elman's recurrence: h_t = s(x_t W_ih^T + b_ih + b_hh + h_{t-1} W_hh^T), and back, delta_t = (dL/dh_t + delta_{t+1} W_hh) s'(h_t).
/// </summary>
public sealed class Elman : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        Index1D items,
        ArrayView<float> output,
        ArrayView<float> states,
        ArrayView<float> weights,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step);

    private delegate void BackwardLauncher(
        AcceleratorStream stream,
        Index1D items,
        ArrayView<float> gradient,
        ArrayView<float> states,
        ArrayView<float> weights,
        ArrayView<float> carry,
        ArrayView<int> lengths,
        RecurrentStep step);

    private Elman(Transpose transpose, ForwardLauncher forwardStep, BackwardLauncher backwardStep)
    {
        this.transpose = transpose;
        this.forwardStep = forwardStep;
        this.backwardStep = backwardStep;
    }

    /// <summary>Loads the kernels of one nonlinearity. Small groups: a step has few items, and they should spread over the whole device.</summary>
    public static Elman Load<TActivation>(KernelLoader loader)
        where TActivation : unmanaged, IActivation =>
        new(new Transpose(loader), loader.Load<ForwardLauncher>(ForwardStep<TActivation>, 32), loader.Load<BackwardLauncher>(BackwardStep<TActivation>, 32));

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        transpose.Run(stream, o.Weights, o.Arranged, o.Walk.Width, o.Walk.Width);
        int items = (o.Walk.Batch + 3) / 4 * ((o.Walk.Width + 3) / 4);
        for (int i = 0; i < o.Walk.Steps; i++)
        {
            RecurrentStep step = o.Walk.Forward(i, o.StartsAtZero);
            forwardStep(stream, items, o.Gates, o.States, o.Arranged, o.InputBias, o.HiddenBias, o.Lengths, step);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        int items = (o.Walk.Batch + 3) / 4 * ((o.Walk.Width + 3) / 4);
        for (int i = o.Walk.Steps - 1; i >= 0; i--)
        {
            RecurrentStep step = o.Walk.Backward(i, 1, o.GradientFrom);
            backwardStep(stream, items, o.Gates, o.States, o.Weights, o.Carry, o.Lengths, step);
        }
    }

    /// <summary>One item, 4 batch rows of 4 units that lie a grid apart.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent))]
    internal static void ForwardStep<TActivation>(
        Index1D index,
        ArrayView<float> output, // [T, B, H], x_t W_ih^T before
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> weights, // W_hh^T [H, H]
        ArrayView<float> inputBias, // [H]
        ArrayView<float> hiddenBias, // [H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        int across = (step.Width + 3) / 4;
        int row = index / across * 4;
        int column = index % across;
        Places columns = Places.Of(column, across, step.Width, 1);
        RegisterTile tile = step.Product(states, step.Before, step.Width, weights, step.Width, row, columns);
        for (int i = 0; i < 4; i++)
        {
            Quad sums = tile.Row(i);
            for (int j = 0; j < 4; j++)
                Forward<TActivation>(output, states, inputBias, hiddenBias, lengths, step, row + i, column + j * across, sums.Element(j));
        }
    }

    /// <summary>One item, 4 batch rows of 4 units that lie a grid apart.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent))]
    internal static void BackwardStep<TActivation>(
        Index1D index,
        ArrayView<float> gradient, // [T, B, H], dL/dh_t before, delta_t after
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> weights, // W_hh [H, H]
        ArrayView<float> carry, // [B, H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        int across = (step.Width + 3) / 4;
        int row = index / across * 4;
        int column = index % across;
        Places columns = Places.Of(column, across, step.Width, 1);
        RegisterTile tile = step.Product(gradient, step.Following, step.Width, weights, step.Width, row, columns);
        for (int i = 0; i < 4; i++)
        {
            Quad sums = tile.Row(i);
            for (int j = 0; j < 4; j++)
                Backward<TActivation>(gradient, states, carry, lengths, step, row + i, column + j * across, sums.Element(j));
        }
    }

    /// <summary>One unit of one row, given its recurrent product; nothing beyond their ends.</summary>
    internal static void Forward<TActivation>(
        ArrayView<float> output,
        ArrayView<float> states,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step,
        int row,
        int unit,
        float sum)
        where TActivation : unmanaged, IActivation
    {
        if (row >= step.Batch || unit >= step.Width) return;
        bool isInside = step.Time < lengths[row];
        int place = step.Place(step.Time, row, unit);
        float h = default(TActivation).Apply(output[place] + (inputBias[unit] + hiddenBias[unit]) + sum);
        output[place] = isInside ? h : 0f;
        states[step.Place(step.After, row, unit)] = isInside ? h : states[step.Place(step.Before, row, unit)];
    }

    /// <summary>One unit of one row, given the product that flows back to it; nothing beyond their ends.</summary>
    internal static void Backward<TActivation>(
        ArrayView<float> gradient,
        ArrayView<float> states,
        ArrayView<float> carry,
        ArrayView<int> lengths,
        RecurrentStep step,
        int row,
        int unit,
        float sum)
        where TActivation : unmanaged, IActivation
    {
        if (row >= step.Batch || unit >= step.Width) return;
        bool isInside = step.Time < lengths[row];
        int place = step.Place(step.Time, row, unit);
        int state = step.Place(0, row, unit);
        if (step.Summed != 0) sum += carry[state];
        carry[state] = isInside ? 0f : sum;
        if (isInside && step.HasGradient != 0) sum += gradient[place];
        gradient[place] = isInside ? sum * default(TActivation).Slope(states[step.Place(step.After, row, unit)]) : 0f;
    }
}
