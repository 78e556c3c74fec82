using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The gated recurrent unit as PyTorch has it, gates r, z, n, the reset after the product: with a = x_t W_ih^T + b_ih and q = h_{t-1} W_hh^T + b_hh,
/// r = sigmoid(a_r + q_r), z = sigmoid(a_z + q_z), n = tanh(a_n + r q_n) and h_t = (1 - z) n + z h_{t-1}.
/// </summary>
public sealed class Gru : RecurrentCell
{
    private readonly Transpose transpose;
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        Index1D items,
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
        Index1D items,
        ArrayView<float> gates,
        ArrayView<float> products,
        ArrayView<float> outputGradient,
        ArrayView<float> states,
        ArrayView<float> weights,
        ArrayView<float> carry,
        ArrayView<int> lengths,
        RecurrentStep step);

    /// <summary>Loads the kernels. Small groups: a step has few items, and they should spread over the whole device.</summary>
    public Gru(KernelLoader loader)
    {
        transpose = new Transpose(loader);
        forwardStep = loader.Load<ForwardLauncher>(ForwardStep, 32);
        backwardStep = loader.Load<BackwardLauncher>(BackwardStep, 32);
    }

    /// <inheritdoc/>
    public override int ArrangedCount(int width) => 3 * width * width;

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        transpose.Run(stream, o.Weights, o.Arranged, 3 * o.Walk.Width, o.Walk.Width);
        int items = (o.Walk.Batch + 3) / 4 * o.Walk.Width;
        int keepsProducts = o.ProductGradient.Length == o.Gates.Length ? 1 : 0;
        for (int i = 0; i < o.Walk.Steps; i++)
        {
            RecurrentStep step = o.Walk.Forward(i, o.StartsAtZero);
            forwardStep(
                stream, items, o.Gates, o.ProductGradient, o.States, o.Output, o.Arranged, o.InputBias, o.HiddenBias, o.Lengths, step, keepsProducts);
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        int items = (o.Walk.Batch + 3) / 4 * ((o.Walk.Width + 3) / 4);
        for (int i = o.Walk.Steps - 1; i >= 0; i--)
        {
            RecurrentStep step = o.Walk.Backward(i, 3, o.GradientFrom);
            backwardStep(stream, items, o.Gates, o.ProductGradient, o.OutputGradient, o.States, o.Weights, o.Carry, o.Lengths, step);
        }
    }

    /// <summary>One item, 4 batch rows of one unit: the tile's first three columns are its gates, the fourth is not used.</summary>
    [KernelEntry]
    internal static void ForwardStep(
        Index1D index,
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
        int width = step.Width;
        int row = index / width * 4;
        int unit = index % width;
        Places blocks = Places.Of(unit, width, 3 * width, 1);
        RegisterTile tile = step.Product(states, step.Before, width, weights, 3 * width, row, blocks);
        for (int j = 0; j < 4; j++)
            Forward(gates, products, states, output, inputBias, hiddenBias, lengths, step, keepsProducts, row + j, unit, tile.Row(j));
    }

    /// <summary>One item, 4 batch rows of 4 units that lie a grid apart.</summary>
    [KernelEntry]
    internal static void BackwardStep(
        Index1D index,
        ArrayView<float> gates, // [T, B, 3H], replaced by the gradients of the pre-activations
        ArrayView<float> products, // [T, B, 3H]: q_n in its block n, replaced by the gradients of q
        ArrayView<float> outputGradient, // [T, B, H]
        ArrayView<float> states, // [T + 1, B, H]
        ArrayView<float> weights, // W_hh [3H, H]
        ArrayView<float> carry, // [B, H]
        ArrayView<int> lengths, // [B]
        RecurrentStep step)
    {
        int width = step.Width;
        int across = (width + 3) / 4;
        int row = index / across * 4;
        int column = index % across;
        RegisterTile tile = step.Product(products, step.Following, 3 * width, weights, width, row, Places.Of(column, across, width, 1));
        for (int j = 0; j < 4; j++)
        {
            Quad sums = tile.Row(j);
            for (int k = 0; k < 4; k++)
            {
                int unit = column + k * across;
                Backward(gates, products, outputGradient, states, carry, lengths, step, row + j, unit, sums.Element(k));
            }
        }
    }

    /// <summary>One unit of one row, given the recurrent products of its gates; nothing beyond their ends.</summary>
    internal static void Forward(
        ArrayView<float> gates,
        ArrayView<float> products,
        ArrayView<float> states,
        ArrayView<float> output,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ArrayView<int> lengths,
        RecurrentStep step,
        int keepsProducts,
        int row,
        int unit,
        Quad sums)
    {
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int after = step.Place(step.After, row, unit);
        int place = step.Place(step.Time, row, unit);
        float before = states[step.Place(step.Before, row, unit)];
        if (step.Time >= lengths[row])
        {
            states[after] = before;
            output[place] = 0f;
            return;
        }

        Places blocks = Places.Of(unit, width, 3 * width, 1);
        Quad inputBiases = blocks.Load(inputBias, 0);
        Quad hiddenBiases = blocks.Load(hiddenBias, 0);
        int gate = (step.Time * step.Batch + row) * 3 * width + unit;
        float q = sums.Z + hiddenBiases.Z;
        float r = Elementary.Sigmoid(gates[gate] + (inputBiases.X + hiddenBiases.X) + sums.X);
        float z = Elementary.Sigmoid(gates[gate + width] + (inputBiases.Y + hiddenBiases.Y) + sums.Y);
        float n = Elementary.Tanh(gates[gate + 2 * width] + inputBiases.Z + r * q);
        float h = (1f - z) * n + z * before;
        gates[gate] = r;
        gates[gate + width] = z;
        gates[gate + 2 * width] = n;
        if (keepsProducts != 0) products[gate + 2 * width] = q;
        states[after] = h;
        output[place] = h;
    }

    /// <summary>One unit of one row, given the product that flows back to it; nothing beyond their ends.</summary>
    internal static void Backward(
        ArrayView<float> gates,
        ArrayView<float> products,
        ArrayView<float> outputGradient,
        ArrayView<float> states,
        ArrayView<float> carry,
        ArrayView<int> lengths,
        RecurrentStep step,
        int row,
        int unit,
        float sum)
    {
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int state = step.Place(0, row, unit);
        int gate = (step.Time * step.Batch + row) * 3 * width + unit;
        float dh = step.Summed == 0 ? 0f : sum + carry[state];
        float dr = 0f;
        float dz = 0f;
        float dn = 0f;
        float dq = 0f;
        if (step.Time < lengths[row])
        {
            if (step.HasGradient != 0) dh += outputGradient[step.Place(step.Time, row, unit)];
            float r = gates[gate];
            float z = gates[gate + width];
            float n = gates[gate + 2 * width];
            dn = dh * (1f - z) * (1f - n * n);
            dr = dn * products[gate + 2 * width] * r * (1f - r);
            dz = dh * (states[step.Place(step.Before, row, unit)] - n) * z * (1f - z);
            dq = dn * r;
            dh *= z;
        }

        carry[state] = dh;
        gates[gate] = dr;
        gates[gate + width] = dz;
        gates[gate + 2 * width] = dn;
        products[gate] = dr;
        products[gate + width] = dz;
        products[gate + 2 * width] = dq;
    }
}
