using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elman's recurrence, one launch a step: h_t = s(x_t W_ih^T + b_ih + b_hh + h_{t-1} W_hh^T), and back, delta_t = (dL/dh_t + delta_{t+1} W_hh)
/// s'(h_t). The caller multiplies the inputs of all steps by W_ih beforehand and turns the deltas of all steps into weight gradients afterwards.
/// </summary>
public sealed class Elman
{
    private readonly ForwardLauncher forwardStep;
    private readonly BackwardLauncher backwardStep;

    private delegate void ForwardLauncher(
        AcceleratorStream stream,
        Index1D items,
        ArrayView<float> hidden,
        ArrayView<float> before,
        ArrayView<float> weights,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        ElmanStep step);

    private delegate void BackwardLauncher(
        AcceleratorStream stream, Index1D items, ArrayView<float> gradient, ArrayView<float> hidden, ArrayView<float> weights, ElmanStep step);

    private Elman(ForwardLauncher forwardStep, BackwardLauncher backwardStep)
    {
        this.forwardStep = forwardStep;
        this.backwardStep = backwardStep;
    }

    /// <summary>Loads the kernels of one nonlinearity. Small groups: a step has few items, and they should spread over the whole device.</summary>
    public static Elman Load<TActivation>(KernelLoader loader)
        where TActivation : unmanaged, IActivation =>
        new(loader.Load<ForwardLauncher>(ForwardStep<TActivation>, 32), loader.Load<BackwardLauncher>(BackwardStep<TActivation>, 32));

    /// <summary>Turns the projected inputs of all steps into hidden states.</summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="hidden">[T, B, H]: x_t W_ih^T, replaced by h_t.</param>
    /// <param name="initial">h_0 [B, H], or null for zero.</param>
    /// <param name="transposedWeights">W_hh^T [H, H].</param>
    /// <param name="inputBias">b_ih [H].</param>
    /// <param name="hiddenBias">b_hh [H].</param>
    /// <param name="steps">T.</param>
    /// <param name="batch">B.</param>
    /// <param name="width">H.</param>
    public void Forward(
        AcceleratorStream stream,
        ArrayView<float> hidden,
        ArrayView<float>? initial,
        ArrayView<float> transposedWeights,
        ArrayView<float> inputBias,
        ArrayView<float> hiddenBias,
        int steps,
        int batch,
        int width)
    {
        int items = (batch + 3) / 4 * ((width + 3) / 4);
        ElmanStep step = new() { Batch = batch, Width = width, Summed = initial is null ? 0 : width };
        forwardStep(stream, items, hidden, initial ?? hidden, transposedWeights, inputBias, hiddenBias, step);
        step.Summed = width;
        for (int t = 1; t < steps; t++)
        {
            step.Other = step.Now;
            step.Now += batch * width;
            forwardStep(stream, items, hidden, hidden, transposedWeights, inputBias, hiddenBias, step);
        }
    }

    /// <summary>Turns the gradients of all hidden states into those of the pre-activations.</summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="gradient">[T, B, H]: dL/dh_t for t of <paramref name="gradientFrom"/> and later, replaced by delta_t for all t.</param>
    /// <param name="hidden">h_t [T, B, H].</param>
    /// <param name="weights">W_hh [H, H].</param>
    /// <param name="gradientFrom">The first step that has a gradient.</param>
    /// <param name="steps">T.</param>
    /// <param name="batch">B.</param>
    /// <param name="width">H.</param>
    public void Backward(
        AcceleratorStream stream,
        ArrayView<float> gradient,
        ArrayView<float> hidden,
        ArrayView<float> weights,
        int gradientFrom,
        int steps,
        int batch,
        int width)
    {
        int items = (batch + 3) / 4 * ((width + 3) / 4);
        ElmanStep step = new() { Batch = batch, Width = width };
        for (int t = steps - 1; t >= 0; t--)
        {
            step.Now = t * batch * width;
            step.HasGradient = t >= gradientFrom ? 1 : 0;
            backwardStep(stream, items, gradient, hidden, weights, step);
            step.Other = step.Now;
            step.Summed = width;
        }
    }

    /// <summary>One item, 4 batch rows of 4 units that lie a grid apart.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent))]
    internal static void ForwardStep<TActivation>(
        Index1D index,
        ArrayView<float> hidden, // [T, B, H]
        ArrayView<float> before, // the previous state's array: hidden, or h_0 [B, H]
        ArrayView<float> weights, // W_hh^T [H, H]
        ArrayView<float> inputBias, // [H]
        ArrayView<float> hiddenBias, // [H]
        ElmanStep step)
        where TActivation : unmanaged, IActivation
    {
        int across = (step.Width + 3) / 4;
        int row = index / across * 4;
        int column = index % across;
        RegisterTile tile = step.Product(before, weights, row, column, across);
        for (int i = 0; i < 4; i++)
        {
            if (row + i >= step.Batch) continue;
            Quad sums = tile.Row(i);
            for (int j = 0; j < 4; j++)
            {
                int unit = column + j * across;
                if (unit >= step.Width) continue;
                int place = step.Now + (row + i) * step.Width + unit;
                hidden[place] = default(TActivation).Apply(hidden[place] + (inputBias[unit] + hiddenBias[unit]) + sums.Element(j));
            }
        }
    }

    /// <summary>One item, 4 batch rows of 4 units that lie a grid apart.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent))]
    internal static void BackwardStep<TActivation>(
        Index1D index,
        ArrayView<float> gradient, // [T, B, H]
        ArrayView<float> hidden, // [T, B, H]
        ArrayView<float> weights, // W_hh [H, H]
        ElmanStep step)
        where TActivation : unmanaged, IActivation
    {
        int across = (step.Width + 3) / 4;
        int row = index / across * 4;
        int column = index % across;
        RegisterTile tile = step.Product(gradient, weights, row, column, across);
        for (int i = 0; i < 4; i++)
        {
            if (row + i >= step.Batch) continue;
            Quad sums = tile.Row(i);
            for (int j = 0; j < 4; j++)
            {
                int unit = column + j * across;
                if (unit >= step.Width) continue;
                int place = step.Now + (row + i) * step.Width + unit;
                float sum = sums.Element(j);
                if (step.HasGradient != 0) sum += gradient[place];
                gradient[place] = sum * default(TActivation).Slope(hidden[place]);
            }
        }
    }
}

/// <summary>Which step a launch computes.</summary>
public struct ElmanStep
{
    /// <summary>Where this step's [B, H] begins.</summary>
    public int Now;

    /// <summary>Where the neighbouring step's [B, H] begins, the one the weights are multiplied with.</summary>
    public int Other;

    /// <summary>H, or 0 where there is no neighbouring step.</summary>
    public int Summed;

    /// <summary>Backward: 1 where this step has an output gradient.</summary>
    public int HasGradient;

    /// <summary>B.</summary>
    public int Batch;

    /// <summary>H.</summary>
    public int Width;

    /// <summary>
    /// The neighbouring step's [B, H] times the weights [H, H]: rows from <paramref name="row"/> on, columns <paramref name="across"/> apart.
    /// </summary>
    internal readonly RegisterTile Product(ArrayView<float> states, ArrayView<float> weights, int row, int column, int across)
    {
        Places rows = Places.Of(row, 1, Batch, Width);
        Places columns = Places.Of(column, across, Width, 1);
        return RegisterTile.Product(states.SubView(Other, Summed * Batch), rows, 1, weights, columns, Width, 0, Summed);
    }
}
