using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The gated recurrent unit (<see cref="GruCell"/>) with all steps in one launch. Threads hold and own what they do in <see cref="PersistentLstmForward{TStrip, TExchange}"/>, with
/// three gates in place of four.
/// </summary>
[Kernel(
    typeof(Strip2), typeof(ByShuffles), typeof(Strip4), typeof(ByShuffles), typeof(Strip2), typeof(ThroughShared), typeof(Strip4), typeof(ThroughShared),
    DividesFast = true)]
internal readonly struct PersistentGruForward<TStrip, TExchange>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentGruForward<TStrip, TExchange>, PersistentArguments>
    where TStrip : unmanaged, IStrip<TStrip>
    where TExchange : unmanaged, IExchange
{
    public static PersistentGruForward<TStrip, TExchange> With(in PersistentArguments arguments) => new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> gates = views.Gates; // [T, B, 3H], x_t W_ih^T before
        ArrayView<float> products = views.ProductGradient; // [T, B, 3H]: q_n in its block n, where it is kept
        ArrayView<float> states = views.States; // [T + 1, B, H]
        ArrayView<float> output = views.Output; // [T, B, H]
        ArrayView<float> inputBias = views.InputBias; // [3H]
        ArrayView<float> hiddenBias = views.HiddenBias; // [3H]
        ArrayView<int> lengths = views.Lengths; // [B]
        bool keepsProducts = products.Length == gates.Length;
        int width = walk.Width;
        PersistentThread own = PersistentThread.OfGates(walk);
        bool isActive = own.IsActive(walk);
        int other = 4 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Quad> quads = shared.Cast<Quad>();
        Rows3<TStrip> rows = walk.Prepare<Rows3<TStrip>, TStrip>(views.Weights, shared, 4);

        int length = lengths[own.Sequence];
        int place = walk.Start + own.Sequence * width + own.Unit;
        int gate = walk.Start * 3 + own.Sequence * 3 * width + own.Unit;
        float biasR = inputBias[own.Unit] + hiddenBias[own.Unit];
        float biasZ = inputBias[own.Unit + width] + hiddenBias[own.Unit + width];
        float biasN = inputBias[own.Unit + 2 * width];
        float biasQ = hiddenBias[own.Unit + 2 * width];
        float h = states[place + walk.Before];
        float xr = gates[gate];
        float xz = gates[gate + width];
        float xn = gates[gate + 2 * width];
        if (isActive) shared[own.State] = h;
        Group.Barrier();

        int now = 0;
        for (int step = 0; step < walk.Steps; step++)
        {
            FourQuads sums = walk.MultiplyFour<Rows3<TStrip>, TStrip, Rows3<Strip1>>(rows, quads, now, own.Lane, 4);
            Quad sum = default(TExchange).AllOfFour(sums, own.Thread, quads, walk.ScratchAt);
            float q = sum.Z + biasQ;
            float r = Elementary.GateSigmoid(xr + biasR + sum.X);
            float z = Elementary.GateSigmoid(xz + biasZ + sum.Y);
            float n = Elementary.GateTanh(xn + biasN + r * q);

            // The next step's inputs are under way while its product is computed.
            int ahead = step + 1 < walk.Steps ? gate + 3 * walk.Stride : gate;
            xr = gates[ahead];
            xz = gates[ahead + width];
            xn = gates[ahead + 2 * width];
            bool isInside = walk.FirstTime + step * walk.TimeStep < length;
            float value = (1f - z) * n + z * h;
            h = isInside ? value : h;
            now = other - now;
            shared[now + own.State] = isActive ? h : 0f;
            if (isActive)
            {
                gates[gate] = r;
                gates[gate + width] = z;
                gates[gate + 2 * width] = n;
                if (keepsProducts) products[gate + 2 * width] = q;
                states[place + walk.After] = h;
                output[place] = isInside ? value : 0f;
            }

            place += walk.Stride;
            gate = ahead;
            Group.Barrier();
        }
    }
}

/// <summary>Four sequences of a group, all steps backward.</summary>
[Kernel(
    typeof(Strip2), typeof(ByShuffles), typeof(Strip4), typeof(ByShuffles), typeof(Strip2), typeof(ThroughShared), typeof(Strip4), typeof(ThroughShared),
    DividesFast = true)]
internal readonly struct PersistentGruBackward<TStrip, TExchange>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentGruBackward<TStrip, TExchange>, PersistentArguments>
    where TStrip : unmanaged, IStrip<TStrip>
    where TExchange : unmanaged, IExchange
{
    public static PersistentGruBackward<TStrip, TExchange> With(in PersistentArguments arguments) => new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> gates = views.Gates; // [T, B, 3H], replaced by the gradients of the pre-activations
        ArrayView<float> products = views.ProductGradient; // [T, B, 3H]: q_n in its block n, replaced by the gradients of q
        ArrayView<float> outputGradient = views.OutputGradient; // [T, B, H]
        ArrayView<float> states = views.States; // [T + 1, B, H]
        ArrayView<float> carry = views.Carry; // [B, H]
        ArrayView<int> lengths = views.Lengths; // [B]
        int width = walk.Width;
        PersistentThread own = PersistentThread.OfRows(walk, lanes: 16);
        bool isActive = own.IsActive(walk);
        int other = 4 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Quad> quads = shared.Cast<Quad>();
        Rows4<TStrip> rows = walk.Prepare<Rows4<TStrip>, TStrip>(views.Weights, shared, 4);

        int length = lengths[own.Sequence];
        int unit = own.Sequence * width + own.Unit; // in [B, H]
        int place = walk.Start + unit;
        int gate = walk.Start * 3 + own.Sequence * 3 * width + own.Unit;
        float r = gates[gate];
        float z = gates[gate + width];
        float n = gates[gate + 2 * width];
        float q = products[gate + 2 * width];
        float before = states[place + walk.Before];
        float given = outputGradient[place];
        float kept = 0f;

        int now = 0;
        for (int step = 0; step < walk.Steps; step++)
        {
            FourQuads sums = walk.MultiplyFour<Rows4<TStrip>, TStrip, Rows4<Strip1>>(rows, quads, now, own.Lane, 16);
            float dh = default(TExchange).RowOfFour(sums, own.Thread, quads, walk.ScratchAt) + kept;
            bool isInside = walk.FirstTime + step * walk.TimeStep < length;
            float all = dh + (step < walk.WithGradient ? given : 0f);
            float dn = isInside ? all * (1f - z) * (1f - n * n) : 0f;
            float dr = isInside ? dn * q * r * (1f - r) : 0f;
            float dz = isInside ? all * (before - n) * z * (1f - z) : 0f;
            float dq = isInside ? dn * r : 0f;
            kept = isInside ? all * z : dh;

            // The next step's operands are under way while its product is computed.
            bool isLast = step + 1 == walk.Steps;
            int ahead = isLast ? place : place + walk.Stride;
            int gateAhead = isLast ? gate : gate + 3 * walk.Stride;
            r = gates[gateAhead];
            z = gates[gateAhead + width];
            n = gates[gateAhead + 2 * width];
            q = products[gateAhead + 2 * width];
            before = states[ahead + walk.Before];
            given = outputGradient[ahead];
            now = other - now;
            int target = now + own.State;
            shared[target] = isActive ? dr : 0f;
            shared[target + walk.Units] = isActive ? dz : 0f;
            shared[target + 2 * walk.Units] = isActive ? dq : 0f;
            if (isActive)
            {
                gates[gate] = dr;
                gates[gate + width] = dz;
                gates[gate + 2 * width] = dn;
                products[gate] = dr;
                products[gate + width] = dz;
                products[gate + 2 * width] = dq;
            }

            place = ahead;
            gate = gateAhead;
            Group.Barrier();
        }

        if (isActive) carry[unit] = kept;
    }
}
