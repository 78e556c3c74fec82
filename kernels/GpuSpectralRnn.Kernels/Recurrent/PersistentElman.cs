using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elman's recurrence (<see cref="ElmanCell{TActivation}"/>) with all steps in one launch. Group g walks the sequences 2g and 2g + 1 (in small
/// batches one) and keeps W_hh on chip: thread t holds units 4 (t / 8) to 4 (t / 8) + 3 at the quads of columns t mod 8, t mod 8 + 8, ..., and owns
/// unit 4 (t / 8) + t mod 4 of sequence 2g + t / 4 mod 2, whose state stays in a register. All states of the group lie in shared memory twice, the
/// step before and the step in work, so one barrier a step is enough. Inputs are read two steps ahead.
/// </summary>
[Kernel(
    typeof(Strip2), typeof(ByShuffles), typeof(Relu), typeof(Strip2), typeof(ByShuffles), typeof(HyperbolicTangent),
    typeof(Strip4), typeof(ByShuffles), typeof(Relu), typeof(Strip4), typeof(ByShuffles), typeof(HyperbolicTangent),
    typeof(Strip2), typeof(ThroughShared), typeof(Relu), typeof(Strip2), typeof(ThroughShared), typeof(HyperbolicTangent),
    typeof(Strip4), typeof(ThroughShared), typeof(Relu), typeof(Strip4), typeof(ThroughShared), typeof(HyperbolicTangent),
    DividesFast = true)]
internal readonly struct PersistentElmanForward<TStrip, TReduction, TActivation>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentElmanForward<TStrip, TReduction, TActivation>, PersistentArguments>
    where TStrip : unmanaged, IStrip<TStrip>
    where TReduction : unmanaged, ILaneReduction
    where TActivation : unmanaged, IActivation
{
    public static PersistentElmanForward<TStrip, TReduction, TActivation> With(in PersistentArguments arguments) =>
        new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> output = views.Gates; // [T, B, H], x_t W_ih^T before
        ArrayView<float> states = views.States; // [T + 1, B, H]
        ArrayView<float> inputBias = views.InputBias; // [H]
        ArrayView<float> hiddenBias = views.HiddenBias; // [H]
        ArrayView<int> lengths = views.Lengths; // [B]
        PersistentThread own = PersistentThread.OfRows(walk, lanes: 8);
        bool isActive = own.IsActive(walk);
        int other = 2 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Float4> quads = shared.Cast<Float4>();
        Rows4<TStrip> rows = walk.Prepare<Rows4<TStrip>, TStrip>(views.Weights, shared, 2);

        int length = lengths[own.Sequence];
        float bias = inputBias[own.Unit] + hiddenBias[own.Unit];
        int place = walk.Start + own.Sequence * walk.Width + own.Unit;
        int ahead = walk.Steps > 1 ? place + walk.Stride : place;
        float x = output[place];
        float next = output[ahead];
        float h = states[place + walk.Before];
        if (isActive) shared[own.State] = h;
        Group.Barrier();

        int now = 0;
        for (int i = 0; i < walk.Steps; i++)
        {
            ahead = i + 2 < walk.Steps ? ahead + walk.Stride : ahead;
            float afterNext = output[ahead];
            Float4x4 sums = walk.MultiplyTwo(rows, quads, now, own.Lane);
            float sum = default(TReduction).RowOfTwo(sums.A, sums.B, own.Thread, quads, walk.ScratchAt);
            float value = default(TActivation).Apply(x + bias + sum);
            bool isInside = walk.FirstTime + i * walk.TimeStep < length;
            h = isInside ? value : h;
            now = other - now;
            shared[now + own.State] = isActive ? h : 0f;
            if (isActive)
            {
                output[place] = isInside ? value : 0f;
                states[place + walk.After] = h;
            }

            place += walk.Stride;
            x = next;
            next = afterNext;
            Group.Barrier();
        }
    }
}

/// <summary>Two sequences of a group, all steps backward: the same product with W_hh transposed.</summary>
[Kernel(
    typeof(Strip2), typeof(ByShuffles), typeof(Relu), typeof(Strip2), typeof(ByShuffles), typeof(HyperbolicTangent),
    typeof(Strip4), typeof(ByShuffles), typeof(Relu), typeof(Strip4), typeof(ByShuffles), typeof(HyperbolicTangent),
    typeof(Strip2), typeof(ThroughShared), typeof(Relu), typeof(Strip2), typeof(ThroughShared), typeof(HyperbolicTangent),
    typeof(Strip4), typeof(ThroughShared), typeof(Relu), typeof(Strip4), typeof(ThroughShared), typeof(HyperbolicTangent),
    DividesFast = true)]
internal readonly struct PersistentElmanBackward<TStrip, TReduction, TActivation>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentElmanBackward<TStrip, TReduction, TActivation>, PersistentArguments>
    where TStrip : unmanaged, IStrip<TStrip>
    where TReduction : unmanaged, ILaneReduction
    where TActivation : unmanaged, IActivation
{
    public static PersistentElmanBackward<TStrip, TReduction, TActivation> With(in PersistentArguments arguments) =>
        new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> gradient = views.Gates; // [T, B, H], dL/dh_t before, delta_t after
        ArrayView<float> states = views.States; // [T + 1, B, H]
        ArrayView<float> carry = views.Carry; // [B, H]
        ArrayView<int> lengths = views.Lengths; // [B]
        PersistentThread own = PersistentThread.OfRows(walk, lanes: 8);
        bool isActive = own.IsActive(walk);
        int other = 2 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Float4> quads = shared.Cast<Float4>();
        Rows4<TStrip> rows = walk.Prepare<Rows4<TStrip>, TStrip>(views.Weights, shared, 2);

        int length = lengths[own.Sequence];
        int unit = own.Sequence * walk.Width + own.Unit; // in [B, H]
        int place = walk.Start + unit;
        int ahead = walk.Steps > 1 ? place + walk.Stride : place;
        float g = gradient[place];
        float h = states[place + walk.After];
        float nextGradient = gradient[ahead];
        float nextState = states[ahead + walk.After];
        float kept = 0f;

        int now = 0;
        for (int i = 0; i < walk.Steps; i++)
        {
            ahead = i + 2 < walk.Steps ? ahead + walk.Stride : ahead;
            float afterGradient = gradient[ahead];
            float afterState = states[ahead + walk.After];
            Float4x4 sums = walk.MultiplyTwo(rows, quads, now, own.Lane);
            float sum = default(TReduction).RowOfTwo(sums.A, sums.B, own.Thread, quads, walk.ScratchAt);
            sum += kept;
            bool isInside = walk.FirstTime + i * walk.TimeStep < length;
            kept = isInside ? 0f : sum;
            sum += i < walk.WithGradient ? g : 0f;
            float delta = isInside ? sum * default(TActivation).Slope(h) : 0f;
            now = other - now;
            shared[now + own.State] = isActive ? delta : 0f;
            if (isActive) gradient[place] = delta;
            place += walk.Stride;
            g = nextGradient;
            h = nextState;
            nextGradient = afterGradient;
            nextState = afterState;
            Group.Barrier();
        }

        if (isActive) carry[unit] = kept;
    }
}
