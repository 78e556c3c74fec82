using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The long short-term memory (<see cref="LstmCell"/>) with all steps in one launch. Group g walks the sequences 4g to 4g + 3 (in small batches
/// one or two) and keeps W_hh on chip.
/// Forward, thread t holds the four gates of unit t / 4 at the quads of columns t mod 4, t mod 4 + 4, ..., and owns that unit of sequence
/// 4g + t mod 4. Backward, it holds units 4 (t / 16) to 4 (t / 16) + 3 at the quads t mod 16, t mod 16 + 16, ... of the gates of all units, and owns
/// unit 4 (t / 16) + t mod 4 of sequence 4g + t / 4 mod 4. What a thread owns, h, c and their gradients, stays in its registers.
/// </summary>
[Kernel(
    typeof(Strip2), typeof(ByShuffles), typeof(Strip4), typeof(ByShuffles), typeof(Strip2), typeof(ThroughShared), typeof(Strip4), typeof(ThroughShared),
    DividesFast = true)]
internal readonly struct PersistentLstmForward<TStrip, TExchange>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentLstmForward<TStrip, TExchange>, PersistentArguments>
    where TStrip : unmanaged, IStrip<TStrip>
    where TExchange : unmanaged, IExchange
{
    public static PersistentLstmForward<TStrip, TExchange> With(in PersistentArguments arguments) => new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> gates = views.Gates; // [T, B, 4H], x_t W_ih^T before
        ArrayView<float> states = views.States; // h [T + 1, B, H]
        ArrayView<float> cellStates = views.CellStates; // c [T + 1, B, H]
        ArrayView<float> output = views.Output; // [T, B, H]
        ArrayView<float> inputBias = views.InputBias; // [4H]
        ArrayView<float> hiddenBias = views.HiddenBias; // [4H]
        ArrayView<int> lengths = views.Lengths; // [B]
        int width = walk.Width;
        PersistentThread own = PersistentThread.OfGates(walk);
        bool isActive = own.IsActive(walk);
        int other = 4 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Quad> quads = shared.Cast<Quad>();
        Rows4<TStrip> rows = walk.Prepare<Rows4<TStrip>, TStrip>(views.Weights, shared, 4);

        int length = lengths[own.Sequence];
        int place = walk.Start + own.Sequence * width + own.Unit;
        int gate = walk.Start * 4 + own.Sequence * 4 * width + own.Unit;
        Places blocks = Places.Of(0, 1, 4, width);
        Quad bias = blocks.Load(inputBias, own.Unit);
        Quad hidden = blocks.Load(hiddenBias, own.Unit);
        bias.X += hidden.X;
        bias.Y += hidden.Y;
        bias.Z += hidden.Z;
        bias.W += hidden.W;
        float h = states[place + walk.Before];
        float c = cellStates[place + walk.Before];
        Quad x = blocks.Load(gates, gate);
        if (isActive) shared[own.State] = h;
        Group.Barrier();

        int now = 0;
        for (int step = 0; step < walk.Steps; step++)
        {
            FourQuads sums = walk.MultiplyFour<Rows4<TStrip>, TStrip, Rows4<Strip1>>(rows, quads, now, own.Lane, 4);
            Quad sum = default(TExchange).AllOfFour(sums, own.Thread, quads, walk.ScratchAt);
            float i = Elementary.GateSigmoid(x.X + bias.X + sum.X);
            float f = Elementary.GateSigmoid(x.Y + bias.Y + sum.Y);
            float g = Elementary.GateTanh(x.Z + bias.Z + sum.Z);
            float o = Elementary.GateSigmoid(x.W + bias.W + sum.W);

            // The next step's inputs are under way while its product is computed.
            int ahead = step + 1 < walk.Steps ? gate + 4 * walk.Stride : gate;
            x = blocks.Load(gates, ahead);
            bool isInside = walk.FirstTime + step * walk.TimeStep < length;
            float newCell = f * c + i * g;
            float newState = o * Elementary.GateTanh(newCell);
            c = isInside ? newCell : c;
            h = isInside ? newState : h;
            now = other - now;
            shared[now + own.State] = isActive ? h : 0f;
            if (isActive)
            {
                gates[gate] = i;
                gates[gate + width] = f;
                gates[gate + 2 * width] = g;
                gates[gate + 3 * width] = o;
                cellStates[place + walk.After] = c;
                states[place + walk.After] = h;
                output[place] = isInside ? newState : 0f;
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
internal readonly struct PersistentLstmBackward<TStrip, TExchange>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentLstmBackward<TStrip, TExchange>, PersistentArguments>
    where TStrip : unmanaged, IStrip<TStrip>
    where TExchange : unmanaged, IExchange
{
    public static PersistentLstmBackward<TStrip, TExchange> With(in PersistentArguments arguments) => new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> gates = views.Gates; // [T, B, 4H], replaced by the gradients of the pre-activations
        ArrayView<float> outputGradient = views.OutputGradient; // [T, B, H]
        ArrayView<float> cellStates = views.CellStates; // c [T + 1, B, H]
        ArrayView<float> carry = views.Carry; // [B, H]
        ArrayView<float> cellCarry = views.CellCarry; // [B, H]
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
        int gate = walk.Start * 4 + own.Sequence * 4 * width + own.Unit;
        Places blocks = Places.Of(0, 1, 4, width);
        Quad a = blocks.Load(gates, gate);
        float c = cellStates[place + walk.After];
        float before = cellStates[place + walk.Before];
        float given = outputGradient[place];
        float dc = 0f;
        float kept = 0f;

        int now = 0;
        for (int step = 0; step < walk.Steps; step++)
        {
            FourQuads sums = walk.MultiplyFour<Rows4<TStrip>, TStrip, Rows4<Strip1>>(rows, quads, now, own.Lane, 16);
            float dh = default(TExchange).RowOfFour(sums, own.Thread, quads, walk.ScratchAt) + kept;
            bool isInside = walk.FirstTime + step * walk.TimeStep < length;
            kept = isInside ? 0f : dh;
            dh += step < walk.WithGradient ? given : 0f;
            float t = Elementary.GateTanh(c);
            float d = dc + dh * a.W * (1f - t * t);
            float di = isInside ? d * a.Z * a.X * (1f - a.X) : 0f;
            float df = isInside ? d * before * a.Y * (1f - a.Y) : 0f;
            float dg = isInside ? d * a.X * (1f - a.Z * a.Z) : 0f;
            float da = isInside ? dh * t * a.W * (1f - a.W) : 0f;
            dc = isInside ? d * a.Y : dc;

            // The next step's operands are under way while its product is computed.
            bool isLast = step + 1 == walk.Steps;
            int ahead = isLast ? place : place + walk.Stride;
            int gateAhead = isLast ? gate : gate + 4 * walk.Stride;
            a = blocks.Load(gates, gateAhead);
            c = before;
            before = cellStates[ahead + walk.Before];
            given = outputGradient[ahead];
            now = other - now;
            int target = now + own.State;
            shared[target] = isActive ? di : 0f;
            shared[target + walk.Units] = isActive ? df : 0f;
            shared[target + 2 * walk.Units] = isActive ? dg : 0f;
            shared[target + 3 * walk.Units] = isActive ? da : 0f;
            if (isActive)
            {
                gates[gate] = di;
                gates[gate + width] = df;
                gates[gate + 2 * width] = dg;
                gates[gate + 3 * width] = da;
            }

            place = ahead;
            gate = gateAhead;
            Group.Barrier();
        }

        if (isActive)
        {
            carry[unit] = kept;
            cellCarry[unit] = dc;
        }
    }
}
