using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>What a thread keeps of a gated cell's unit in registers while it walks forward, and its mathematics.</summary>
internal interface IGatedForward
{
    /// <summary>G.</summary>
    static abstract int Gates { get; }

    /// <summary>The inputs of the unit's gates, <paramref name="width"/> apart.</summary>
    static abstract Float4 Inputs(ArrayView<float> gates, int place, int width);

    /// <summary>Reads the biases of a unit, and what else of its state than h is at a place of [T + 1, B, H].</summary>
    void Begin(RecurrentViews views, int unit, int width, int before);

    /// <summary>The gates, given their inputs and recurrent products.</summary>
    void Open(Float4 inputs, Float4 sums);

    /// <summary>The new h, given the old one; beyond the sequence's end the state stays as it is.</summary>
    float Output(float h, bool isInside);

    /// <summary>Writes the gates to a place of [T, B, G*H], and the state to one of [T + 1, B, H].</summary>
    void Store(RecurrentViews views, int gate, int width, int after);
}

/// <summary>What a thread keeps of a gated cell's unit in registers while it walks backward, and its mathematics.</summary>
internal interface IGatedBackward
{
    /// <summary>G.</summary>
    static abstract int Gates { get; }

    /// <summary>The gradients of the unit's recurrent products.</summary>
    Float4 Gradients { get; }

    /// <summary>Reads what the first step needs.</summary>
    void Begin(RecurrentViews views, PersistentWalk walk, int gate, int place);

    /// <summary>Reads what the next step needs.</summary>
    void Next(RecurrentViews views, PersistentWalk walk, int gate, int place);

    /// <summary>A step, given dL/dh from the steps behind it and from its own output; returns what goes to the step before past the weights.</summary>
    float Step(float behind, float given, bool isInside);

    /// <summary>Writes the gradients to a place of [T, B, G*H].</summary>
    void Store(RecurrentViews views, int gate, int width);

    /// <summary>Writes the gradient of what else of the state than h there is, [B, H].</summary>
    void End(RecurrentViews views, int place);
}

/// <summary>
/// A gated cell with all steps in one launch. Group g walks the sequences 4g to 4g + 3 (in small batches one or two) and keeps W_hh on chip. Forward,
/// thread t holds the gates of unit t / 4 at the quads of columns t mod 4, t mod 4 + 4, ..., and owns that unit of sequence 4g + t mod 4. What a
/// thread owns stays in its registers.
/// </summary>
[GatedKernel(typeof(LstmForward), typeof(Rows4<>), typeof(GruForward), typeof(Rows3<>), DividesFast = true)]
internal readonly struct PersistentForward<TCell, TRows, TRest, TStrip, TReduction>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentForward<TCell, TRows, TRest, TStrip, TReduction>, PersistentArguments>
    where TCell : unmanaged, IGatedForward
    where TRows : unmanaged, IRows<TStrip>
    where TRest : unmanaged, IRows<Strip1>
    where TStrip : unmanaged, IStrip<TStrip>
    where TReduction : unmanaged, ILaneReduction
{
    public static PersistentForward<TCell, TRows, TRest, TStrip, TReduction> With(in PersistentArguments arguments) =>
        new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> gates = views.Gates; // [T, B, G*H], x_t W_ih^T before
        ArrayView<float> states = views.States; // h [T + 1, B, H]
        ArrayView<float> output = views.Output; // [T, B, H]
        ArrayView<int> lengths = views.Lengths; // [B]
        int width = walk.Width;
        PersistentThread own = PersistentThread.OfGates(walk);
        bool isActive = own.IsActive(walk);
        int other = 4 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Float4> quads = shared.Cast<Float4>();
        TRows rows = walk.Prepare<TRows, TStrip>(views.Weights, shared, 4);

        int length = lengths[own.Sequence];
        int place = walk.Start + own.Sequence * width + own.Unit;
        int gate = walk.Start * TCell.Gates + own.Sequence * TCell.Gates * width + own.Unit;
        TCell cell = default;
        cell.Begin(views, own.Unit, width, place + walk.Before);
        float h = states[place + walk.Before];
        Float4 x = TCell.Inputs(gates, gate, width);
        if (isActive) shared[own.State] = h;
        Group.Barrier();

        int now = 0;
        for (int step = 0; step < walk.Steps; step++)
        {
            Float4x4 sums = walk.MultiplyFour<TRows, TStrip, TRest>(rows, quads, now, own.Lane, 4);
            Float4 sum = default(TReduction).AllOfFour(sums, own.Thread, quads, walk.ScratchAt);
            cell.Open(x, sum);

            // The next step's inputs are under way while its product is computed.
            int ahead = step + 1 < walk.Steps ? gate + TCell.Gates * walk.Stride : gate;
            x = TCell.Inputs(gates, ahead, width);
            bool isInside = walk.FirstTime + step * walk.TimeStep < length;
            float value = cell.Output(h, isInside);
            h = isInside ? value : h;
            now = other - now;
            shared[now + own.State] = isActive ? h : 0f;
            if (isActive)
            {
                cell.Store(views, gate, width, place + walk.After);
                states[place + walk.After] = h;
                output[place] = isInside ? value : 0f;
            }

            place += walk.Stride;
            gate = ahead;
            Group.Barrier();
        }
    }
}

/// <summary>
/// Backward of <see cref="PersistentForward{TCell, TRows, TRest, TStrip, TReduction}"/>. Thread t holds units 4 (t / 16) to 4 (t / 16) + 3 at the
/// quads t mod 16, t mod 16 + 16, ... of the gates of all units, and owns unit 4 (t / 16) + t mod 4 of sequence 4g + t / 4 mod 4.
/// </summary>
[GatedKernel(typeof(LstmBackward), typeof(Rows4<>), typeof(GruBackward), typeof(Rows4<>), DividesFast = true)]
internal readonly struct PersistentBackward<TCell, TRows, TRest, TStrip, TReduction>(RecurrentViews views, PersistentWalk walk)
    : IGroupKernel, IKernelWith<PersistentBackward<TCell, TRows, TRest, TStrip, TReduction>, PersistentArguments>
    where TCell : unmanaged, IGatedBackward
    where TRows : unmanaged, IRows<TStrip>
    where TRest : unmanaged, IRows<Strip1>
    where TStrip : unmanaged, IStrip<TStrip>
    where TReduction : unmanaged, ILaneReduction
{
    public static PersistentBackward<TCell, TRows, TRest, TStrip, TReduction> With(in PersistentArguments arguments) =>
        new(arguments.Views, arguments.Walk);

    public void Run()
    {
        ArrayView<float> outputGradient = views.OutputGradient; // [T, B, H]
        ArrayView<float> carry = views.Carry; // [B, H]
        ArrayView<int> lengths = views.Lengths; // [B]
        int width = walk.Width;
        PersistentThread own = PersistentThread.OfRows(walk, lanes: 16);
        bool isActive = own.IsActive(walk);
        int other = 4 * walk.Pitch;

        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<Float4> quads = shared.Cast<Float4>();
        TRows rows = walk.Prepare<TRows, TStrip>(views.Weights, shared, 4);

        int length = lengths[own.Sequence];
        int unit = own.Sequence * width + own.Unit; // in [B, H]
        int place = walk.Start + unit;
        int gate = walk.Start * TCell.Gates + own.Sequence * TCell.Gates * width + own.Unit;
        TCell cell = default;
        cell.Begin(views, walk, gate, place);
        float given = outputGradient[place];
        float kept = 0f;

        int now = 0;
        for (int step = 0; step < walk.Steps; step++)
        {
            Float4x4 sums = walk.MultiplyFour<TRows, TStrip, TRest>(rows, quads, now, own.Lane, 16);
            float behind = default(TReduction).RowOfFour(sums, own.Thread, quads, walk.ScratchAt) + kept;
            bool isInside = walk.FirstTime + step * walk.TimeStep < length;
            kept = cell.Step(behind, step < walk.WithGradient ? given : 0f, isInside);

            // The next step's operands are under way while its product is computed.
            Float4 gradients = cell.Gradients;
            bool isLast = step + 1 == walk.Steps;
            int ahead = isLast ? place : place + walk.Stride;
            int gateAhead = isLast ? gate : gate + TCell.Gates * walk.Stride;
            cell.Next(views, walk, gateAhead, ahead);
            given = outputGradient[ahead];
            now = other - now;
            int target = now + own.State;
            shared[target] = isActive ? gradients.X : 0f;
            shared[target + walk.Units] = isActive ? gradients.Y : 0f;
            shared[target + 2 * walk.Units] = isActive ? gradients.Z : 0f;
            if (TCell.Gates > 3) shared[target + 3 * walk.Units] = isActive ? gradients.W : 0f;
            if (isActive) cell.Store(views, gate, width);
            place = ahead;
            gate = gateAhead;
            Group.Barrier();
        }

        if (!isActive) return;
        carry[unit] = kept;
        cell.End(views, unit);
    }
}

/// <summary>Marks a kernel over gated cells: closed over each cell with its rows, both kinds of strips and both exchanges.</summary>
internal sealed class GatedKernelAttribute(Type first, Type rowsOfFirst, Type second, Type rowsOfSecond)
    : KernelAttribute([.. Instances(first, rowsOfFirst), .. Instances(second, rowsOfSecond)])
{
    /// <summary>The types that close a kernel.</summary>
    public static Type[] Closed(Type cell, Type rows, Type strip, Type exchange) =>
        [cell, rows.MakeGenericType(strip), rows.MakeGenericType(typeof(Strip1)), strip, exchange];

    private static new IEnumerable<Type> Instances(Type cell, Type rows) =>
        from strip in new[] { typeof(Strip2), typeof(Strip4) }
        from exchange in new[] { typeof(ByShuffles), typeof(ThroughShared) }
        from type in Closed(cell, rows, strip, exchange)
        select type;
}
