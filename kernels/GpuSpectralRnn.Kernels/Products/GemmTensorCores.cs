using ILGPU;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The product on tensor cores (CUDA from compute capability 8.0 on): factors rounded to TF32 (10 bits of mantissa), sums in single precision. As
/// in <see cref="GemmBlocks{TBlock}"/> a group of 256 threads computes a block of C, here 128 x 128, in steps of 16 through K out of one half of the
/// shared memory, while each thread fetches its part of the next step into registers.
/// </summary>
[Kernel(
    typeof(ByQuads), typeof(ByQuads), typeof(ByQuads), typeof(BySingles), typeof(BySingles), typeof(ByQuads), typeof(BySingles), typeof(BySingles),
    CudaCapability = 80, GroupSize = GemmBlocks.Threads, GroupsPerMultiprocessor = 2)]
internal readonly struct GemmTensorCores<TLeft, TRight>(GemmArguments e)
    : IGroupKernel, IKernelWith<GemmTensorCores<TLeft, TRight>, GemmArguments>
    where TLeft : unmanaged, IFetch
    where TRight : unmanaged, IFetch
{
    private const int Depth = 16;

    public static GemmTensorCores<TLeft, TRight> With(in GemmArguments arguments) => new(arguments);

    public void Run()
    {
        TensorTile.Start();
        int across = (e.N + GemmTensorCores.Size - 1) / GemmTensorCores.Size;
        int down = (e.M + GemmTensorCores.Size - 1) / GemmTensorCores.Size;
        int block = Grid.IdxX % (across * down);
        int slice = Grid.IdxX / (across * down);
        int firstRow = block / across * GemmTensorCores.Size;
        int firstColumn = block % across * GemmTensorCores.Size;
        int from = slice * e.Slice;
        int to = from + e.Slice < e.K ? from + e.Slice : e.K;

        int thread = Group.IdxX;
        int lane = thread & 31;
        int warp = thread >> 5;
        TensorPart left = TensorPart.Create(e.A, thread, firstRow, from);
        TensorPart right = TensorPart.Create(e.B, thread, firstColumn, from);
        left.PutRows(0, default(TLeft).Load(e.Left, left.First), default(TLeft).Load(e.Left, left.Second), to - from);
        right.PutColumns(TensorTile.RightAt, default(TRight).Load(e.Right, right.First), default(TRight).Load(e.Right, right.Second), to - from);
        Group.Barrier();

        int fragment = TensorPart.Place(lane >> 2, 2 * (lane & 3));
        int rows = fragment + (warp >> 1) * 16 * TensorTile.PairBytes;
        int columns = fragment + (warp & 1) * 32 * TensorTile.PairBytes + TensorTile.RightAt;
        int stage = 0;
        for (int rest = to - from - Depth; rest > -Depth; rest -= Depth)
        {
            left.Advance();
            right.Advance();
            Float4 left0 = default(TLeft).Load(e.Left, left.First);
            Float4 left1 = default(TLeft).Load(e.Left, left.Second);
            Float4 right0 = default(TRight).Load(e.Right, right.First);
            Float4 right1 = default(TRight).Load(e.Right, right.Second);
            TensorTile.AddProduct(stage + rows, stage + columns);
            stage = TensorTile.StageBytes - stage;
            left.PutRows(stage, left0, left1, rest);
            right.PutColumns(stage + TensorTile.RightAt, right0, right1, rest);
            Group.Barrier();
        }

        // The sums go through shared memory, half of the rows at a time, so that lanes write neighbours of a row.
        for (int half = 0; half < 2; half++)
        {
            if (warp >> 2 == half) TensorTile.PutSums((warp & 3) * 16 * TensorTile.TileBytes + 16 * (lane ^ (lane >> 3)));
            Group.Barrier();
            Store(slice, firstRow + half * (GemmTensorCores.Size / 2), firstColumn);
            Group.Barrier();
        }
    }

    // 64 rows of the block, each by one warp.
    private void Store(int slice, int firstRow, int firstColumn)
    {
        int lane = Group.IdxX & 31;
        int warp = Group.IdxX >> 5;

        // Where the sum of row warp, column lane is: tiles of every second row; in a tile, lanes 4 g + t have columns 2 g and 2 g + 1 of rows 4 t and
        // 4 t + 2.
        int g = lane >> 1 & 7;
        int odd = lane >> 4;
        int tile = odd * 4 + (warp & 1);
        int holder = 4 * g + (warp >> 2);
        int place = tile * TensorTile.TileBytes + 16 * (holder ^ (g >> 1)) + 4 * (2 * (lane & 1) + ((warp >> 1 & 1) ^ odd));
        for (int row = 0; row < GemmTensorCores.Size / 2; row += 8)
        {
            int tiles = (row >> 5) * 32 + (row >> 4 & 1) * 2;
            TensorTile.FetchSums((place ^ (row >> 3 & 1) * 32) + tiles * TensorTile.TileBytes, e.Alpha);
            if (firstRow + row + warp >= e.M) continue;
            int column = firstColumn + lane;
            int at = (slice * e.M + firstRow + row + warp) * e.N + column;
            if (e.Beta != 0f)
            {
                if (column < e.N) CudaAsm.Emit("fma.rn.f32 e0, %0, %1, e0;", e.Beta, e.C[at]);
                if (column + 32 < e.N) CudaAsm.Emit("fma.rn.f32 e1, %0, %1, e1;", e.Beta, e.C[at + 32]);
                if (column + 64 < e.N) CudaAsm.Emit("fma.rn.f32 e2, %0, %1, e2;", e.Beta, e.C[at + 64]);
                if (column + 96 < e.N) CudaAsm.Emit("fma.rn.f32 e3, %0, %1, e3;", e.Beta, e.C[at + 96]);
            }

            if (column < e.N) CudaAsm.Emit("mov.f32 %0, e0;", out e.C[at]);
            if (column + 32 < e.N) CudaAsm.Emit("mov.f32 %0, e1;", out e.C[at + 32]);
            if (column + 64 < e.N) CudaAsm.Emit("mov.f32 %0, e2;", out e.C[at + 64]);
            if (column + 96 < e.N) CudaAsm.Emit("mov.f32 %0, e3;", out e.C[at + 96]);
        }
    }
}

/// <summary>
/// The blocks of <see cref="GemmTensorCores{TLeft, TRight}"/>: in a group 8 warps, 4 down and 2 across, each with 32 rows and 64 columns.
/// </summary>
internal static class GemmTensorCores
{
    /// <summary>Rows, and columns, of a block.</summary>
    public const int Size = 128;
}

/// <summary>How four neighbours of a factor are read.</summary>
internal interface IFetch
{
    /// <summary>
    /// The numbers from <paramref name="place"/> on; beyond the end of the matrix the last ones, so that reading takes no branch, behind which a
    /// number would have to be there before the next one is asked for.
    /// </summary>
    Float4 Load(ArrayView<float> matrix, int place);
}

/// <summary>At once: places are multiples of four.</summary>
internal struct ByQuads : IFetch
{
    /// <inheritdoc/>
    public readonly Float4 Load(ArrayView<float> matrix, int place)
    {
        ArrayView<Float4> quads = matrix.Cast<Float4>();
        return quads[(int)Math.Min((uint)place / 4, (uint)quads.Length - 1)];
    }
}

/// <summary>One by one.</summary>
internal struct BySingles : IFetch
{
    /// <inheritdoc/>
    public readonly Float4 Load(ArrayView<float> matrix, int place)
    {
        uint last = (uint)matrix.Length - 1;
        Float4 quad = default;
        quad.X = matrix[(int)Math.Min((uint)place, last)];
        quad.Y = matrix[(int)Math.Min((uint)place + 1, last)];
        quad.Z = matrix[(int)Math.Min((uint)place + 2, last)];
        quad.W = matrix[(int)Math.Min((uint)place + 3, last)];
        return quad;
    }
}

/// <summary>The eight numbers of a factor that a thread fetches in each step, in two quads, and where they go in shared memory.</summary>
internal struct TensorPart
{
    public int First;
    public int Second;
    public int Stride;
    public int Depth;
    public int Target;
    public int AlongLines;

    /// <summary>
    /// Along k: four threads fetch the 16 numbers of a line, and the second quad is of the next line. Along the lines: a warp fetches 32 lines at
    /// four k, and the second quad is 8 further in k. Lines beyond the last may be anything: what they add to is not stored.
    /// </summary>
    public static TensorPart Create(GemmOperand factor, int thread, int firstLine, int from)
    {
        bool alongLines = factor.LineStride == 1;
        int line = alongLines ? (thread >> 5 & 3) * 32 + (thread >> 4 & 1) * 16 + (thread & 3) * 4 : (thread >> 2) * 2;
        int depth = alongLines ? (thread >> 7) * 4 + (thread >> 2 & 3) : (thread & 3) * 4;
        int first = (firstLine + line) * factor.LineStride + (from + depth) * factor.Step;
        return new TensorPart
        {
            First = first,
            Second = first + (alongLines ? 8 * factor.Step : factor.LineStride),
            Stride = 16 * factor.Step,
            Depth = depth,
            Target = Place(line / 2, depth / 2),
            AlongLines = alongLines ? 1 : 0,
        };
    }

    /// <summary>The next step's places.</summary>
    public void Advance()
    {
        First += Stride;
        Second += Stride;
    }

    /// <summary>
    /// Where quad <paramref name="quad"/> of a pair of lines lies, in bytes. All quads of a pair together are as wide as all banks; turned by the
    /// pair, eight lanes that read or write every second quad of two pairs do not meet in a bank, nor do 16 that write half quads of four pairs at
    /// four k.
    /// </summary>
    public static int Place(int pair, int quad) => TensorTile.PairBytes * pair + 16 * (quad ^ (pair & 7));

    /// <summary>Puts rows of C into shared memory, from <paramref name="start"/> on; zeros from the step's <paramref name="rest"/>th k on.</summary>
    public readonly void PutRows(int start, Float4 first, Float4 second, int rest)
    {
        if (AlongLines != 0)
        {
            int place = Target + 4 * (Depth & 1);
            TensorTile.PutAcrossRows(Depth < rest ? first : default, start + place);
            TensorTile.PutAcrossRows(Depth + 8 < rest ? second : default, start + (place ^ 64));
        }
        else
        {
            TensorTile.PutRows(first.Least(rest - Depth), second.Least(rest - Depth), start + Target);
        }
    }

    /// <summary>Puts columns of C into shared memory.</summary>
    public readonly void PutColumns(int start, Float4 first, Float4 second, int rest)
    {
        if (AlongLines != 0)
        {
            int place = Target + 8 * (Depth & 1);
            TensorTile.PutAcrossColumns(Depth < rest ? first : default, start + place);
            TensorTile.PutAcrossColumns(Depth + 8 < rest ? second : default, start + (place ^ 64));
        }
        else
        {
            TensorTile.PutColumns(first.Least(rest - Depth), second.Least(rest - Depth), start + Target);
        }
    }
}
