using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The gated recurrent unit whose reset gate multiplies the state before the product (Cho et al. 2014), gates r, z, n: with a = x_t W_ih^T + b_ih + b_hh,
/// r = sigmoid(a_r + h_{t-1} W_hr^T), z = sigmoid(a_z + h_{t-1} W_hz^T), n = tanh(a_n + (r h_{t-1}) W_hn^T) and h_t = (1 - z) n + z h_{t-1}. A step is
/// two products one after the other, with a launch of all units behind each.
/// </summary>
internal sealed class GruResetBefore(KernelLoader loader, Gemm gemm) : RecurrentCell
{
    private readonly Launcher<Transpose> transpose = loader.Elements<Transpose>();
    private readonly Launcher<Gates> gates = loader.Elements<Gates>();
    private readonly Launcher<State> state = loader.Elements<State>();
    private readonly Launcher<BackToFresh> backToFresh = loader.Elements<BackToFresh>();
    private readonly Launcher<BackToReset> backToReset = loader.Elements<BackToReset>();

    /// <inheritdoc/>
    public override int ArrangedCount(int batch, int width) => 3 * width * (width + batch);

    /// <inheritdoc/>
    public override void Forward(AcceleratorStream stream, in RecurrentOperands o)
    {
        (RecurrentWalk walk, RecurrentViews views) = (o.Walk, o.Views);
        (int b, int h) = (walk.Batch, walk.Width);
        ArrayView<float> ofState = o.Arranged.SubView(0, 2 * h * h); // [H, 2H]
        ArrayView<float> ofReset = o.Arranged.SubView(2 * h * h, h * h); // [H, H]
        ArrayView<float> sums = o.Arranged.SubView(3 * h * h, 3 * b * h); // [B, 2H], then [B, H]
        ArrayView<float> freshSums = sums.SubView(2 * b * h, b * h);
        transpose(stream, 2 * h * h, new(views.Weights.SubView(0, 2 * h * h), ofState, 2 * h, h));
        transpose(stream, h * h, new(views.Weights.SubView(2 * h * h, h * h), ofReset, h, h));
        ResetParts parts = new(views.ProductGradient, walk);
        for (int i = 0; i < walk.Steps; i++)
        {
            StepArguments a = new() { Views = views, Step = walk.Forward(i, o.StartsAtZero) };
            ArrayView<float> before = views.States.SubView(a.Step.Before * b * h, b * h); // [B, H]
            ArrayView<float> resets = parts.Resets(a.Step.Time); // [B, H]
            gemm.Run(stream, new(before, ofState, sums.SubView(0, 2 * b * h), b, 2 * h, a.Step.Summed));
            gates(stream, b * h, new(a, sums, resets));
            gemm.Run(stream, new(resets, ofReset, freshSums, b, h, a.Step.Summed));
            state(stream, b * h, new(a, freshSums));
        }
    }

    /// <inheritdoc/>
    public override void Backward(AcceleratorStream stream, in RecurrentOperands o)
    {
        (RecurrentWalk walk, RecurrentViews views) = (o.Walk, o.Views);
        (int b, int h) = (walk.Batch, walk.Width);
        ArrayView<float> ofState = views.Weights.SubView(0, 2 * h * h); // [2H, H]
        ArrayView<float> ofReset = views.Weights.SubView(2 * h * h, h * h); // [H, H]
        ArrayView<float> resetGradient = o.Arranged.SubView(3 * h * h, b * h); // dL/d(r h) [B, H]
        ResetParts parts = new(views.ProductGradient, walk);
        for (int i = walk.Steps - 1; i >= 0; i--)
        {
            StepArguments a = new() { Views = views, Step = walk.Backward(i, 3, o.GradientFrom) };
            ArrayView<float> gateGradients = parts.GateGradients(a.Step.Time); // [B, 2H]
            ArrayView<float> freshGradients = parts.FreshGradients(a.Step.Time); // [B, H]
            backToFresh(stream, b * h, new(a, gateGradients, freshGradients));
            gemm.Run(stream, new(freshGradients, ofReset, resetGradient, b, h, h));
            backToReset(stream, b * h, new(a, gateGradients, resetGradient));
            gemm.Run(stream, new(gateGradients, ofState, views.Carry, b, h, 2 * h, Beta: 1f));
        }
    }

    // r and z from their sums, and r h for the product of n.
    [Kernel]
    internal readonly struct Gates(
        StepArguments a,
        ArrayView<float> sums, // [B, 2H]
        ArrayView<float> resets) // [B, H]
        : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Step.Width;
            int row = element / width;
            int unit = element - row * width;
            if (a.Step.Time >= a.Views.Lengths[row])
            {
                resets[element] = 0f;
                return;
            }

            ArrayView<float> gates = a.Views.Gates; // [T, B, 3H], x_t W_ih^T before
            int gate = (a.Step.Time * a.Step.Batch + row) * 3 * width + unit;
            int sum = row * 2 * width + unit;
            float r = Elementary.Sigmoid(gates[gate] + (a.Views.InputBias[unit] + a.Views.HiddenBias[unit]) + sums[sum]);
            float z = Elementary.Sigmoid(gates[gate + width] + (a.Views.InputBias[unit + width] + a.Views.HiddenBias[unit + width]) + sums[sum + width]);
            gates[gate] = r;
            gates[gate + width] = z;
            resets[element] = r * a.Views.States[a.Step.Before * a.Step.Batch * width + element];
        }
    }

    // n from its sum, and h.
    [Kernel]
    internal readonly struct State(
        StepArguments a,
        ArrayView<float> sums) // [B, H]
        : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Step.Width;
            int row = element / width;
            int unit = element - row * width + 2 * width;
            int slot = a.Step.Batch * width;
            ArrayView<float> gates = a.Views.Gates; // [T, B, 3H]
            ArrayView<float> states = a.Views.States; // [T + 1, B, H]
            float before = states[a.Step.Before * slot + element];
            float h = before;
            float output = 0f;
            if (a.Step.Time < a.Views.Lengths[row])
            {
                int gate = (a.Step.Time * a.Step.Batch + row) * 3 * width + unit;
                float z = gates[gate - width];
                float n = Elementary.Tanh(gates[gate] + (a.Views.InputBias[unit] + a.Views.HiddenBias[unit]) + sums[element]);
                gates[gate] = n;
                h = (1f - z) * n + z * before;
                output = h;
            }

            states[a.Step.After * slot + element] = h;
            a.Views.Output[a.Step.Time * slot + element] = output;
        }
    }

    // The gradients of n's and z's sums. The carry [B, H] is all of dL/dh that comes from the steps after, and then what passes this one by.
    [Kernel]
    internal readonly struct BackToFresh(
        StepArguments a,
        ArrayView<float> gateGradients, // [B, 2H]
        ArrayView<float> freshGradients) // [B, H]
        : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Step.Width;
            int row = element / width;
            int unit = element - row * width;
            int slot = a.Step.Batch * width;
            ArrayView<float> gates = a.Views.Gates; // [T, B, 3H], replaced by the gradients of the sums
            int gate = (a.Step.Time * a.Step.Batch + row) * 3 * width + unit;
            float dh = a.Step.Summed == 0 ? 0f : a.Views.Carry[element];
            float dz = 0f;
            float dn = 0f;
            if (a.Step.Time < a.Views.Lengths[row])
            {
                if (a.Step.HasGradient != 0) dh += a.Views.OutputGradient[a.Step.Time * slot + element];
                float z = gates[gate + width];
                float n = gates[gate + 2 * width];
                dn = dh * (1f - z) * (1f - n * n);
                dz = dh * (a.Views.States[a.Step.Before * slot + element] - n) * z * (1f - z);
                dh *= z;
            }

            a.Views.Carry[element] = dh;
            gates[gate + width] = dz;
            gates[gate + 2 * width] = dn;
            gateGradients[row * 2 * width + width + unit] = dz;
            freshGradients[element] = dn;
        }
    }

    // That of r's sum, and what flows back to h through r h.
    [Kernel]
    internal readonly struct BackToReset(
        StepArguments a,
        ArrayView<float> gateGradients, // [B, 2H]
        ArrayView<float> resetGradient) // dL/d(r h) [B, H]
        : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Step.Width;
            int row = element / width;
            int unit = element - row * width;
            ArrayView<float> gates = a.Views.Gates; // [T, B, 3H]
            int gate = (a.Step.Time * a.Step.Batch + row) * 3 * width + unit;
            float dr = 0f;
            if (a.Step.Time < a.Views.Lengths[row])
            {
                float r = gates[gate];
                float d = resetGradient[element];
                dr = d * a.Views.States[a.Step.Before * a.Step.Batch * width + element] * r * (1f - r);
                a.Views.Carry[element] += d * r;
            }

            gates[gate] = dr;
            gateGradients[row * 2 * width + unit] = dr;
        }
    }
}

/// <summary>
/// What <see cref="GruResetBefore"/> keeps for the weight gradients in one block: gradients of r and z [T, B, 2H], of n [T, B, H], states reset
/// r h [T, B, H]. Without training the block has room for one step's r h alone.
/// </summary>
public readonly struct ResetParts(ArrayView<float> block, RecurrentWalk walk)
{
    private readonly int step = walk.Batch * walk.Width;

    /// <summary>Numbers of the block.</summary>
    public static long Count(long cells, int batch, int width, bool isTraining) => isTraining ? 4 * cells * width : (long)batch * width;

    private int All => walk.Steps * step;

    /// <summary>Those of a step, [B, 2H].</summary>
    internal ArrayView<float> GateGradients(int time) => block.SubView(2 * time * step, 2 * step);

    /// <summary>Those of a step, [B, H].</summary>
    internal ArrayView<float> FreshGradients(int time) => block.SubView(2 * All + time * step, step);

    /// <summary>Those of a step, [B, H].</summary>
    internal ArrayView<float> Resets(int time) => block.SubView(block.Length == step ? 0 : 3 * All + time * step, step);
}
