using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The long short-term memory as PyTorch has it, gates i, f, g, o: with a = x_t W_ih^T + b_ih + h_{t-1} W_hh^T + b_hh, c_t = sigmoid(a_f) c_{t-1} +
/// sigmoid(a_i) tanh(a_g) and h_t = sigmoid(a_o) tanh(c_t).
/// </summary>
public sealed class Lstm : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        Index1D items,
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
        Index1D items,
        ArrayView<float> gates,
        ArrayView<float> outputGradient,
        ArrayView<float> cellStates,
        ArrayView<float> weights,
        ArrayView<float> carry,
        ArrayView<float> cellCarry,
        ArrayView<int> lengths,
        RecurrentStep step);

    /// <summary>Loads the kernels. Small groups: a step has few items, and they should spread over the whole device.</summary>
    public Lstm(KernelLoader loader)
    {
        transpose = new Transpose(loader);
        forwardStep = loader.Load<ForwardLauncher>(ForwardStep, 32);
        backwardStep = loader.Load<BackwardLauncher>(BackwardStep, 32);
    }

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => 4 * width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        transpose.Run(stream, o.Weights, o.Arranged, 4 * o.Walk.Width, o.Walk.Width);
        int items = (o.Walk.Batch + 3) / 4 * o.Walk.Width;
        for (int i = 0; i < o.Walk.Steps; i++)
        {
            RecurrentStep step = o.Walk.Forward(i, o.StartsAtZero);
            forwardStep(stream, items, o.Gates, o.States, o.CellStates, o.Output, o.Arranged, o.InputBias, o.HiddenBias, o.Lengths, step);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        int items = (o.Walk.Batch + 3) / 4 * ((o.Walk.Width + 3) / 4);
        for (int i = o.Walk.Steps - 1; i >= 0; i--)
        {
            RecurrentStep step = o.Walk.Backward(i, 4, o.GradientFrom);
            backwardStep(stream, items, o.Gates, o.OutputGradient, o.CellStates, o.Weights, o.Carry, o.CellCarry, o.Lengths, step);
        }
    }

    /// <summary>One item, 4 batch rows of one unit: the tile's columns are its gates.</summary>
    [KernelEntry]
    internal static void ForwardStep(
        Index1D index,
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
        int width = step.Width;
        int row = index / width * 4;
        int unit = index % width;
        Places blocks = Places.Of(unit, width, 4 * width, 1);
        RegisterTile tile = step.Product(states, step.Before, width, weights, 4 * width, row, blocks);
        for (int j = 0; j < 4; j++)
            Forward(gates, states, cellStates, output, inputBias, hiddenBias, lengths, step, row + j, unit, tile.Row(j));
    }

    /// <summary>One item, 4 batch rows of 4 units that lie a grid apart.</summary>
    [KernelEntry]
    internal static void BackwardStep(
        Index1D index,
        ArrayView<float> gates, // [T, B, 4H], replaced by the gradients of the pre-activations
        ArrayView<float> outputGradient, // [T, B, H]
        ArrayView<float> cellStates, // c [T + 1, B, H]
        ArrayView<float> weights, // W_hh [4H, H]
        ArrayView<float> carry, // [B, H]
        ArrayView<float> cellCarry, // [B, H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
    {
        int width = step.Width;
        int across = (width + 3) / 4;
        int row = index / across * 4;
        int column = index % across;
        RegisterTile tile = step.Product(gates, step.Following, 4 * width, weights, width, row, Places.Of(column, across, width, 1));
        for (int j = 0; j < 4; j++)
        {
            Quad sums = tile.Row(j);
            for (int k = 0; k < 4; k++)
            {
                int unit = column + k * across;
                Backward(gates, outputGradient, cellStates, carry, cellCarry, lengths, step, row + j, unit, sums.Element(k));
            }
        }
    }

    /// <summary>One unit of one row, given the recurrent products of its gates; nothing beyond their ends.</summary>
    internal static void Forward(
        ArrayView<float> gates,
        ArrayView<float> states,
        ArrayView<float> cellStates,
        ArrayView<float> output,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step,
        int row,
        int unit,
        Quad sums)
    {
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int before = step.Place(step.Before, row, unit);
        int after = step.Place(step.After, row, unit);
        int place = step.Place(step.Time, row, unit);
        if (step.Time >= lengths[row])
        {
            states[after] = states[before];
            cellStates[after] = cellStates[before];
            output[place] = 0f;
            return;
        }

        Places blocks = Places.Of(unit, width, 4 * width, 1);
        Quad inputBiases = blocks.Load(inputBias, 0);
        Quad hiddenBiases = blocks.Load(hiddenBias, 0);
        int gate = (step.Time * step.Batch + row) * 4 * width + unit;
        float i = Elementary.Sigmoid(gates[gate] + (inputBiases.X + hiddenBiases.X) + sums.X);
        float f = Elementary.Sigmoid(gates[gate + width] + (inputBiases.Y + hiddenBiases.Y) + sums.Y);
        float g = Elementary.Tanh(gates[gate + 2 * width] + (inputBiases.Z + hiddenBiases.Z) + sums.Z);
        float o = Elementary.Sigmoid(gates[gate + 3 * width] + (inputBiases.W + hiddenBiases.W) + sums.W);
        float c = f * cellStates[before] + i * g;
        float h = o * Elementary.Tanh(c);
        gates[gate] = i;
        gates[gate + width] = f;
        gates[gate + 2 * width] = g;
        gates[gate + 3 * width] = o;
        cellStates[after] = c;
        states[after] = h;
        output[place] = h;
    }

    /// <summary>One unit of one row, given the product that flows back to it; nothing beyond their ends.</summary>
    internal static void Backward(
        ArrayView<float> gates,
        ArrayView<float> outputGradient,
        ArrayView<float> cellStates,
        ArrayView<float> carry,
        ArrayView<float> cellCarry,
        ArrayView<int> lengths,
        RecurrentStep step,
        int row,
        int unit,
        float sum)
    {
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int state = step.Place(0, row, unit);
        int gate = (step.Time * step.Batch + row) * 4 * width + unit;
        bool isLast = step.Summed == 0;
        float dh = isLast ? 0f : sum + carry[state];
        float dc = isLast ? 0f : cellCarry[state];
        if (step.Time >= lengths[row])
        {
            carry[state] = dh;
            cellCarry[state] = dc;
            gates[gate] = 0f;
            gates[gate + width] = 0f;
            gates[gate + 2 * width] = 0f;
            gates[gate + 3 * width] = 0f;
            return;
        }

        if (step.HasGradient != 0) dh += outputGradient[step.Place(step.Time, row, unit)];
        float i = gates[gate];
        float f = gates[gate + width];
        float g = gates[gate + 2 * width];
        float o = gates[gate + 3 * width];
        float t = Elementary.Tanh(cellStates[step.Place(step.After, row, unit)]);
        dc += dh * o * (1f - t * t);
        gates[gate] = dc * g * i * (1f - i);
        gates[gate + width] = dc * cellStates[step.Place(step.Before, row, unit)] * f * (1f - f);
        gates[gate + 2 * width] = dc * i * (1f - g * g);
        gates[gate + 3 * width] = dh * t * o * (1f - o);
        carry[state] = 0f;
        cellCarry[state] = dc * f;
    }
}
