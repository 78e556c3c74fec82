using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The product in blocks of C, one a group of 256 threads, in steps through K: each thread fetches four numbers of either factor into registers while the
/// group multiplies what was fetched before, out of one half of the shared memory, and then puts them into the other half; one barrier a step.
/// </summary>
internal static class GemmBlocks
{
    /// <summary>Threads of a group: 8 warps, 4 down and 2 across; in a warp 4 threads down and 8 across.</summary>
    public const int Threads = 256;

    private const int FactorElements = 4 * Threads; // of either factor in a step: Edge lines of Depth elements
    private const int Stage = 272; // quads of a step in shared memory: Depth rows of Edge / 4 + 1, the larger of the two blocks

    /// <summary>One group, one block of C, or of one slice's partial C.</summary>
    [KernelEntry(typeof(SmallBlock), typeof(LargeBlock), GroupSize = Threads, GroupsPerMultiprocessor = 2)]
    internal static void Multiply<TBlock>(
        ArrayView<float> a, // op(A) [M, K]
        ArrayView<float> b, // op(B) [K, N]
        ArrayView<float> c, // [Slices, M, N]
        GemmExtents e,
        float alpha,
        float beta)
        where TBlock : unmanaged, IGemmBlock<TBlock>
    {
        ArrayView<Quad> left = SharedMemory.Allocate<Quad>(2 * Stage); // [2, Depth, Edge / 4 + 1]
        ArrayView<Quad> right = SharedMemory.Allocate<Quad>(2 * Stage);
        int edge = default(TBlock).Edge;
        int pitch = edge / 4 + 1; // odd: threads that write one element of neighbouring k fall into different banks
        int depth = FactorElements / edge;

        int across = (e.N + edge - 1) / edge;
        int down = (e.M + edge - 1) / edge;
        int block = Grid.IdxX % (across * down);
        int slice = Grid.IdxX / (across * down);
        int firstRow = block / across * edge;
        int firstColumn = block % across * edge;
        int from = slice * e.Slice;
        int to = from + e.Slice < e.K ? from + e.Slice : e.K;

        int thread = Group.IdxX;
        int lane = thread & 31;
        int warp = thread >> 5;
        int y = (warp >> 1) * 4 + (lane >> 3);
        int x = (warp & 1) * 8 + (lane & 7);

        BlockPart leftPart = BlockPart.Of(thread, e.A.LineStride == 1, edge, depth);
        BlockPart rightPart = BlockPart.Of(thread, e.B.LineStride == 1, edge, depth);
        leftPart.Store(left, 0, pitch, e.A.Load(a, firstRow + leftPart.Line, from + leftPart.Depth, to));
        rightPart.Store(right, 0, pitch, e.B.Load(b, firstColumn + rightPart.Line, from + rightPart.Depth, to));
        Group.Barrier();

        TBlock tile = default;
        int stage = 0;
        for (int k = from; k < to; k += depth)
        {
            bool hasNext = k + depth < to;
            Quad nextLeft = default;
            Quad nextRight = default;
            if (hasNext)
            {
                nextLeft = e.A.Load(a, firstRow + leftPart.Line, k + depth + leftPart.Depth, to);
                nextRight = e.B.Load(b, firstColumn + rightPart.Line, k + depth + rightPart.Depth, to);
            }

            // One outer product a turn: ILGPU would order several by what they add to, and keep all their factors in registers at once.
            int last = stage + depth * pitch;
            for (int place = stage; place < last; place += pitch) tile.AddOuter(left.SubView(place + y, pitch - 16), right.SubView(place + x, pitch - 16));

            stage = Stage - stage;
            if (hasNext)
            {
                leftPart.Store(left, stage, pitch, nextLeft);
                rightPart.Store(right, stage, pitch, nextRight);
            }

            Group.Barrier();
        }

        tile.Store(new BlockTarget { C = c, Extents = e, Slice = slice, Alpha = alpha, Beta = beta }, firstRow + 4 * y, firstColumn + 4 * x);
    }
}

/// <summary>The four numbers of a factor that a thread fetches in each step, and where they go.</summary>
internal struct BlockPart
{
    public int Line;
    public int Depth;
    public int AlongLines;

    /// <summary>
    /// Neighbouring threads fetch neighbouring memory: along the lines where those are neighbours, else along k.
    /// </summary>
    public static BlockPart Of(int thread, bool alongLines, int edge, int depth)
    {
        int width = alongLines ? edge / 4 : depth / 4;
        int quad = thread % width * 4;
        int other = thread / width;
        return new BlockPart { Line = alongLines ? quad : other, Depth = alongLines ? other : quad, AlongLines = alongLines ? 1 : 0 };
    }

    /// <summary>Puts them into shared memory [depth, line].</summary>
    public readonly void Store(ArrayView<Quad> shared, int stage, int pitch, Quad quad)
    {
        if (AlongLines != 0)
        {
            shared[stage + Depth * pitch + Line / 4] = quad;
            return;
        }

        ArrayView<float> elements = shared.Cast<float>();
        int place = 4 * (stage + Depth * pitch) + Line;
        elements[place] = quad.X;
        elements[place + 4 * pitch] = quad.Y;
        elements[place + 8 * pitch] = quad.Z;
        elements[place + 12 * pitch] = quad.W;
    }
}

/// <summary>Where a block's results go.</summary>
internal struct BlockTarget
{
    public ArrayView<float> C;
    public GemmExtents Extents;
    public int Slice;
    public float Alpha;
    public float Beta;

    /// <summary>Writes a 4 x 4 part from (row, column) on, as far as it is inside C.</summary>
    public readonly void Store(RegisterTile tile, int row, int column)
    {
        for (int i = 0; i < 4; i++)
        {
            if (row + i >= Extents.M) continue;
            Quad sums = tile.Row(i).Times(Alpha);
            int place = (Slice * Extents.M + row + i) * Extents.N + column;
            if (Extents.HasQuads != 0)
            {
                if (column >= Extents.N) continue;
                ArrayView<Quad> quads = C.Cast<Quad>();
                if (Beta != 0f) sums.Add(Beta, quads[place / 4]);
                quads[place / 4] = sums;
                continue;
            }

            for (int j = 0; j < 4; j++)
            {
                if (column + j >= Extents.N) continue;
                float sum = sums.Element(j);
                C[place + j] = Beta == 0f ? sum : sum + Beta * C[place + j];
            }
        }
    }
}

/// <summary>A thread's part of a block of C, in registers.</summary>
internal interface IGemmBlock<TBlock>
    where TBlock : unmanaged, IGemmBlock<TBlock>
{
    /// <summary>Rows, and columns, of the group's block.</summary>
    int Edge { get; }

    /// <summary>Adds the outer product of what a thread's first row and first column start.</summary>
    void AddOuter(ArrayView<Quad> rows, ArrayView<Quad> columns);

    /// <summary>Writes all of it; its first part belongs at (row, column).</summary>
    void Store(BlockTarget target, int row, int column);
}

/// <summary>4 x 4 of 64 x 64.</summary>
internal struct SmallBlock : IGemmBlock<SmallBlock>
{
    public const int Size = 64;
    public RegisterTile Tile;

    /// <inheritdoc/>
    public readonly int Edge => Size;

    /// <inheritdoc/>
    public void AddOuter(ArrayView<Quad> rows, ArrayView<Quad> columns) => Tile.AddOuter(rows[0], columns[0]);

    /// <inheritdoc/>
    public readonly void Store(BlockTarget target, int row, int column) => target.Store(Tile, row, column);
}

/// <summary>8 x 8 of 128 x 128: four parts, 64 rows and 64 columns apart, so that neighbouring threads read neighbouring quads.</summary>
internal struct LargeBlock : IGemmBlock<LargeBlock>
{
    public const int Size = 128;
    private const int Half = Size / 2;
    public RegisterTile TopLeft;
    public RegisterTile TopRight;
    public RegisterTile BottomLeft;
    public RegisterTile BottomRight;

    /// <inheritdoc/>
    public readonly int Edge => Size;

    /// <inheritdoc/>
    public void AddOuter(ArrayView<Quad> rows, ArrayView<Quad> columns)
    {
        Quad top = rows[0];
        Quad bottom = rows[Half / 4];
        Quad near = columns[0];
        Quad far = columns[Half / 4];
        TopLeft.AddOuter(top, near);
        TopRight.AddOuter(top, far);
        BottomLeft.AddOuter(bottom, near);
        BottomRight.AddOuter(bottom, far);
    }

    /// <inheritdoc/>
    public readonly void Store(BlockTarget target, int row, int column)
    {
        target.Store(TopLeft, row, column);
        target.Store(TopRight, row, column + Half);
        target.Store(BottomLeft, row + Half, column);
        target.Store(BottomRight, row + Half, column + Half);
    }
}
