using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The product in blocks of C, one a group of 256 threads, in steps through K: each thread fetches four numbers of either factor into registers while
/// the group multiplies what was fetched before, out of one half of the shared memory, and then puts them into the other half; one barrier a step.
/// </summary>
[Kernel(typeof(SmallBlock), typeof(LargeBlock), GroupSize = GemmBlocks.Threads, GroupsPerMultiprocessor = 2)]
internal readonly struct GemmBlocks<TBlock>(GemmArguments e) : IGroupKernel, IKernelWith<GemmBlocks<TBlock>, GemmArguments>
    where TBlock : unmanaged, IGemmBlock<TBlock>
{
    private const int FactorElements = 4 * GemmBlocks.Threads; // of either factor in a step: Edge lines of Depth elements
    private const int Stage = 272; // quads of a step in shared memory: Depth rows of Edge / 4 + 1, the larger of the two blocks

    public static GemmBlocks<TBlock> With(in GemmArguments arguments) => new(arguments);

    public void Run()
    {
        ArrayView<Float4> left = SharedMemory.Allocate<Float4>(2 * Stage); // [2, Depth, Edge / 4 + 1]
        ArrayView<Float4> right = SharedMemory.Allocate<Float4>(2 * Stage);
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

        // Lanes 2i and 2i + 1 have the same columns, lanes i and i + 2 mostly the same rows: devices that read a quad once for such pairs take half
        // the time.
        int thread = Group.IdxX;
        int lane = thread & 31;
        int warp = thread >> 5;
        int y = (warp >> 1) * 4 + (lane >> 4) * 2 + (lane & 1);
        int x = (warp & 1) * 8 + (lane >> 1 & 7);

        BlockPart leftPart = BlockPart.Create(e.A, thread, edge, depth, firstRow, from, to);
        BlockPart rightPart = BlockPart.Create(e.B, thread, edge, depth, firstColumn, from, to);
        leftPart.Store(e.A, left, 0, pitch, leftPart.Load(e.A, e.Left, from));
        rightPart.Store(e.B, right, 0, pitch, rightPart.Load(e.B, e.Right, from));
        Group.Barrier();

        TBlock tile = default;
        int stage = 0;
        int extent = Stage - 16; // of what a thread reads in a step, from its first row or column on
        for (int k = from; k < to; k += depth)
        {
            // The next step's numbers are under way while this one's are multiplied; behind the last step they are zeros, which nobody reads.
            leftPart.Place += depth * e.A.Step;
            rightPart.Place += depth * e.B.Step;
            Float4 nextLeft = leftPart.Load(e.A, e.Left, k + depth);
            Float4 nextRight = rightPart.Load(e.B, e.Right, k + depth);
            tile.AddStep(left.SubView(stage + y, extent), right.SubView(stage + x, extent));
            stage = Stage - stage;
            leftPart.Store(e.A, left, stage, pitch, nextLeft);
            rightPart.Store(e.B, right, stage, pitch, nextRight);
            Group.Barrier();
        }

        tile.Store(new BlockTarget { Arguments = e, Slice = slice }, firstRow + 4 * y, firstColumn + 4 * x);
    }
}

/// <summary>The groups of <see cref="GemmBlocks{TBlock}"/>.</summary>
internal static class GemmBlocks
{
    /// <summary>Threads of a group: 8 warps, 4 down and 2 across; in a warp 4 threads down and 8 across.</summary>
    public const int Threads = 256;
}

/// <summary>The four numbers of a factor that a thread fetches in each step, neighbours in memory, and where they go.</summary>
internal struct BlockPart
{
    /// <summary>Where in memory the step's numbers are.</summary>
    public int Place;

    /// <summary>Steps that start at this k or later have nothing for this thread.</summary>
    public int End;

    /// <summary>How many lines there are from the first number's on, where the four belong to neighbouring lines.</summary>
    public int Lines;

    /// <summary>Where in a half of the shared memory they go, in numbers.</summary>
    public int Target;

    /// <summary>
    /// Neighbouring threads fetch neighbouring memory: along the lines where those are neighbours, else along k.
    /// </summary>
    public static BlockPart Create(GemmOperand factor, int thread, int edge, int depth, int firstLine, int from, int to)
    {
        bool alongLines = factor.LineStride == 1;
        int width = alongLines ? edge / 4 : depth / 4;
        int quad = thread % width * 4;
        int other = thread / width;
        int line = alongLines ? quad : other;
        int k = alongLines ? other : quad;
        int lines = factor.Lines - firstLine - line;
        return new BlockPart
        {
            Place = (firstLine + line) * factor.LineStride + (from + k) * factor.Step,
            End = lines > 0 ? to - k : from,
            Lines = lines,
            Target = k * (edge + 4) + line,
        };
    }

    /// <summary>Fetches the numbers of the step that starts at <paramref name="k"/>; zeros beyond the last line and the last k.</summary>
    public readonly Float4 Load(GemmOperand factor, ArrayView<float> matrix, int k)
    {
        Float4 quad = default;
        if (k >= End) return quad;
        if (factor.HasQuads != 0) return matrix.Cast<Float4>()[Place / 4];
        int left = factor.LineStride == 1 ? Lines : End - k;
        quad.X = matrix[Place];
        if (left > 1) quad.Y = matrix[Place + 1];
        if (left > 2) quad.Z = matrix[Place + 2];
        if (left > 3) quad.W = matrix[Place + 3];
        return quad;
    }

    /// <summary>Puts them into shared memory [depth, line], from quad <paramref name="stage"/> on.</summary>
    public readonly void Store(GemmOperand factor, ArrayView<Float4> shared, int stage, int pitch, Float4 quad)
    {
        int place = 4 * stage + Target;
        if (factor.LineStride == 1)
        {
            shared[place / 4] = quad;
            return;
        }

        ArrayView<float> elements = shared.Cast<float>().SubView(place, 12 * pitch + 1);
        elements[0] = quad.X;
        elements[4 * pitch] = quad.Y;
        elements[8 * pitch] = quad.Z;
        elements[12 * pitch] = quad.W;
    }
}

/// <summary>Where a block's results go.</summary>
internal struct BlockTarget
{
    public GemmArguments Arguments;
    public int Slice;

    /// <summary>Writes a 4 x 4 part from (row, column) on, as far as it is inside Arguments.C.</summary>
    public readonly void Store(RegisterTile tile, int row, int column)
    {
        for (int i = 0; i < 4; i++)
        {
            if (row + i >= Arguments.M) continue;
            Float4 sums = tile.Row(i).Times(Arguments.Alpha);
            int place = (Slice * Arguments.M + row + i) * Arguments.N + column;
            if (Arguments.HasQuads != 0)
            {
                if (column >= Arguments.N) continue;
                ArrayView<Float4> quads = Arguments.C.Cast<Float4>();
                if (Arguments.Beta != 0f) sums.Add(Arguments.Beta, quads[place / 4]);
                quads[place / 4] = sums;
                continue;
            }

            for (int j = 0; j < 4; j++)
            {
                if (column + j >= Arguments.N) continue;
                float sum = sums.Element(j);
                Arguments.C[place + j] = Arguments.Beta == 0f ? sum : sum + Arguments.Beta * Arguments.C[place + j];
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

    /// <summary>
    /// Adds a step's outer products; the views start at the thread's first row and first column. Unrolled by hand, as ILGPU unrolls nothing: all
    /// places are constants.
    /// </summary>
    void AddStep(ArrayView<Float4> rows, ArrayView<Float4> columns);

    /// <summary>Writes all of it; its first part belongs at (row, column).</summary>
    void Store(BlockTarget target, int row, int column);
}

/// <summary>4 x 4 of 64 x 64.</summary>
internal struct SmallBlock : IGemmBlock<SmallBlock>
{
    public const int Size = 64;
    private const int Pitch = Size / 4 + 1;
    public RegisterTile Tile;

    /// <inheritdoc/>
    public readonly int Edge => Size;

    /// <inheritdoc/>
    public void AddStep(ArrayView<Float4> rows, ArrayView<Float4> columns)
    {
        AddFour(rows, columns, 0);
        AddFour(rows, columns, 4 * Pitch);
        AddFour(rows, columns, 8 * Pitch);
        AddFour(rows, columns, 12 * Pitch);
    }

    private void AddFour(ArrayView<Float4> rows, ArrayView<Float4> columns, int at)
    {
        Tile.AddOuter(rows[at], columns[at]);
        Tile.AddOuter(rows[at + Pitch], columns[at + Pitch]);
        Tile.AddOuter(rows[at + 2 * Pitch], columns[at + 2 * Pitch]);
        Tile.AddOuter(rows[at + 3 * Pitch], columns[at + 3 * Pitch]);
    }

    /// <inheritdoc/>
    public readonly void Store(BlockTarget target, int row, int column) => target.Store(Tile, row, column);
}

/// <summary>8 x 8 of 128 x 128: four parts, 64 rows and 64 columns apart, so that neighbouring threads read neighbouring quads.</summary>
internal struct LargeBlock : IGemmBlock<LargeBlock>
{
    public const int Size = 128;
    private const int Half = Size / 2;
    private const int Pitch = Size / 4 + 1;
    public RegisterTile TopLeft;
    public RegisterTile TopRight;
    public RegisterTile BottomLeft;
    public RegisterTile BottomRight;

    /// <inheritdoc/>
    public readonly int Edge => Size;

    /// <inheritdoc/>
    public void AddStep(ArrayView<Float4> rows, ArrayView<Float4> columns)
    {
        AddFour(rows, columns, 0);
        AddFour(rows, columns, 4 * Pitch);
    }

    private void AddFour(ArrayView<Float4> rows, ArrayView<Float4> columns, int at)
    {
        AddOuter(rows, columns, at);
        AddOuter(rows, columns, at + Pitch);
        AddOuter(rows, columns, at + 2 * Pitch);
        AddOuter(rows, columns, at + 3 * Pitch);
    }

    private void AddOuter(ArrayView<Float4> rows, ArrayView<Float4> columns, int at)
    {
        Float4 top = rows[at];
        Float4 bottom = rows[at + Half / 4];
        Float4 near = columns[at];
        Float4 far = columns[at + Half / 4];
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
