using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>What a kernel over all steps of a recurrent layer knows of the walk and of its shared memory.</summary>
public struct PersistentWalk
{
    // Threads whose weights lie together in shared memory, row by row; groups are multiples of it.
    private const int Neighbours = 32;

    /// <summary>T.</summary>
    public int Steps;

    /// <summary>B.</summary>
    public int Batch;

    /// <summary>H.</summary>
    public int Width;

    /// <summary>The time of the first step that is taken.</summary>
    public int FirstTime;

    /// <summary>1 or -1.</summary>
    public int TimeStep;

    /// <summary>Where the first step that is taken begins in a tensor [T, B, H].</summary>
    public int Start;

    /// <summary>From a step to the one taken next in such a tensor: B*H, or -B*H.</summary>
    public int Stride;

    /// <summary>From a step's place in [T, B, H] to its state before it in [T + 1, B, H].</summary>
    public int Before;

    /// <summary>From a step's place in [T, B, H] to its state after it in [T + 1, B, H].</summary>
    public int After;

    /// <summary>Backward: how many steps have an output gradient, counted from the first that is taken.</summary>
    public int WithGradient;

    /// <summary>How many sequences a group walks: as many as the tile has room for, or fewer where the batch is small.</summary>
    public int Sequences;

    /// <summary>From a sequence's state to the next in shared memory.</summary>
    public int Pitch;

    /// <summary>How many units the tile has: H, rounded up.</summary>
    public int Units;

    /// <summary>Where the memory for the exchange begins in shared memory, in quads.</summary>
    public int ScratchAt;

    /// <summary>Where the weights begin in shared memory, in quads.</summary>
    public int WeightsAt;

    /// <summary>Strips of weights in shared memory.</summary>
    public int SharedStrips;

    /// <summary>
    /// Loads this thread's weights, into registers what has room there and the others into shared memory, and clears the states of so many sequences.
    /// </summary>
    internal readonly TRows Prepare<TRows, TStrip>(ArrayView<float> weights, ArrayView<float> shared, int sequences)
        where TRows : unmanaged, IRows<TStrip>
        where TStrip : unmanaged, IStrip<TStrip>
    {
        ArrayView<Float4> packed = weights.Cast<Float4>(); // as PersistentPass.Pack writes them
        TRows rows = default;
        rows.Load(packed, Group.IdxX, Group.DimX);
        FillWeights(packed, shared.Cast<Float4>(), TStrip.Quads, TRows.Count);
        ClearStates(shared, sequences);
        Group.Barrier();
        return rows;
    }

    /// <summary>Clears the states in shared memory, [2, sequences, Pitch].</summary>
    private readonly void ClearStates(ArrayView<float> shared, int sequences)
    {
        for (int i = Group.IdxX; i < 2 * sequences * Pitch; i += Group.DimX) shared[i] = 0f;
    }

    /// <summary>Copies this thread's strips behind those in registers to shared memory; nobody else reads them.</summary>
    private readonly void FillWeights(ArrayView<Float4> packed, ArrayView<Float4> shared, int inRegisters, int rows)
    {
        int threads = Group.DimX;
        for (int strip = 0; strip < SharedStrips; strip++)
        {
            ArrayView<Float4> own = OwnWeights(shared, strip, rows);
            for (int row = 0; row < rows; row++) own[row * Neighbours] = packed[((inRegisters + strip) * rows + row) * threads + Group.IdxX];
        }
    }

    /// <summary>A step's product: this thread's rows and columns with the states of up to two sequences.</summary>
    internal readonly Float4x4 MultiplyTwo<TStrip>(Rows4<TStrip> weights, ArrayView<Float4> shared, int now, int lane)
        where TStrip : unmanaged, IStrip<TStrip>
    {
        Float4x4 sums = default;
        int at = now / 4 + lane;
        TStrip state = default;
        state.Load(StateAt(shared, at, 0), 0, 8);
        sums.A = weights.Multiply(state, sums.A);
        if (Sequences > 1)
        {
            state.Load(StateAt(shared, at, 1), 0, 8);
            sums.B = weights.Multiply(state, sums.B);
        }

        // A loop, not unrolled: it makes the compiler finish the part in registers first.
        at += 8 * TStrip.Quads;
        for (int i = 0; i < SharedStrips; i++)
        {
            Rows4<Strip1> more = default;
            more.Load(OwnWeights(shared, i, 4), 0, Neighbours);
            Strip1 part = default;
            part.Load(StateAt(shared, at, 0), 0, 8);
            sums.A = more.Multiply(part, sums.A);
            if (Sequences > 1)
            {
                part.Load(StateAt(shared, at, 1), 0, 8);
                sums.B = more.Multiply(part, sums.B);
            }

            at += 8;
        }

        return sums;
    }

    /// <summary>
    /// A step's product: this thread's rows and columns with the states of up to four sequences. <typeparamref name="TRest"/> is the rows' type for
    /// one strip.
    /// </summary>
    internal readonly Float4x4 MultiplyFour<TRows, TStrip, TRest>(TRows weights, ArrayView<Float4> shared, int now, int lane, int lanes)
        where TRows : unmanaged, IRows<TStrip>
        where TStrip : unmanaged, IStrip<TStrip>
        where TRest : unmanaged, IRows<Strip1>
    {
        Float4x4 sums = default;
        int at = now / 4 + lane;
        TStrip state = default;
        state.Load(StateAt(shared, at, 0), 0, lanes);
        sums.A = weights.Multiply(state, sums.A);
        if (Sequences > 1)
        {
            state.Load(StateAt(shared, at, 1), 0, lanes);
            sums.B = weights.Multiply(state, sums.B);
        }

        if (Sequences > 2)
        {
            state.Load(StateAt(shared, at, 2), 0, lanes);
            sums.C = weights.Multiply(state, sums.C);
            state.Load(StateAt(shared, at, 3), 0, lanes);
            sums.D = weights.Multiply(state, sums.D);
        }

        at += lanes * TStrip.Quads;
        for (int i = 0; i < SharedStrips; i++)
        {
            TRest more = default;
            more.Load(OwnWeights(shared, i, TRest.Count), 0, Neighbours);
            Strip1 part = default;
            part.Load(StateAt(shared, at, 0), 0, lanes);
            sums.A = more.Multiply(part, sums.A);
            if (Sequences > 1)
            {
                part.Load(StateAt(shared, at, 1), 0, lanes);
                sums.B = more.Multiply(part, sums.B);
            }

            if (Sequences > 2)
            {
                part.Load(StateAt(shared, at, 2), 0, lanes);
                sums.C = more.Multiply(part, sums.C);
                part.Load(StateAt(shared, at, 3), 0, lanes);
                sums.D = more.Multiply(part, sums.D);
            }

            at += lanes;
        }

        return sums;
    }

    // Views that start where the thread reads: what it reads behind is at constant distances, which cost no instructions.
    private readonly ArrayView<Float4> StateAt(ArrayView<Float4> shared, int at, int sequence)
    {
        int start = at + sequence * (Pitch / 4);
        return shared.SubView(start, WeightsAt - start);
    }

    // A thread's rows of a strip, [strip, threads / 32, rows, 32].
    private readonly ArrayView<Float4> OwnWeights(ArrayView<Float4> shared, int strip, int rows)
    {
        int first = Group.IdxX / Neighbours * Neighbours;
        int start = WeightsAt + (strip * Group.DimX + first) * rows + Group.IdxX - first;
        return shared.SubView(start, (rows - 1) * Neighbours + 1);
    }
}
