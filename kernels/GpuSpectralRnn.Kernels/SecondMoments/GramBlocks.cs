using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Two numbers in double precision, 16 bytes.</summary>
internal struct DoublePair
{
    public double X;
    public double Y;
}

/// <summary>Four numbers in double precision.</summary>
internal struct Double4
{
    public DoublePair First;
    public DoublePair Second;

    /// <summary>Element <paramref name="index"/>, by comparison: an array in registers cannot be indexed.</summary>
    public readonly double Element(int index) => index < 2 ? (index == 0 ? First.X : First.Y) : index == 2 ? Second.X : Second.Y;

    /// <summary>this += s (first, second).</summary>
    public void Add(double s, DoublePair first, DoublePair second)
    {
        First.X += s * first.X;
        First.Y += s * first.Y;
        Second.X += s * second.X;
        Second.Y += s * second.Y;
    }
}

/// <summary>A 4 x 4 block of sums in double precision, held in registers.</summary>
internal struct DoubleTile
{
    public Double4 Row0;
    public Double4 Row1;
    public Double4 Row2;
    public Double4 Row3;

    /// <summary>Row <paramref name="index"/>.</summary>
    public readonly Double4 Row(int index) => index < 2 ? (index == 0 ? Row0 : Row1) : index == 2 ? Row2 : Row3;

    /// <summary>Adds the outer product of four rows' numbers and four columns'.</summary>
    public void AddOuter(DoublePair a, DoublePair b, DoublePair c, DoublePair d)
    {
        Row0.Add(a.X, c, d);
        Row1.Add(a.Y, c, d);
        Row2.Add(b.X, c, d);
        Row3.Add(b.Y, c, d);
    }
}

/// <summary>An 8 x 8 block of sums, of four neighbouring units and four 32 units further.</summary>
internal struct DoubleBlock
{
    public DoubleTile TopLeft;
    public DoubleTile TopRight;
    public DoubleTile BottomLeft;
    public DoubleTile BottomRight;

    /// <summary>Adds the outer products of the step's rows; unrolled by hand, as ILGPU unrolls nothing.</summary>
    public void AddStep(ArrayView<DoublePair> rows, ArrayView<DoublePair> columns)
    {
        AddOuter(rows, columns, 0);
        AddOuter(rows, columns, GramBlocks.Pitch);
        AddOuter(rows, columns, 2 * GramBlocks.Pitch);
        AddOuter(rows, columns, 3 * GramBlocks.Pitch);
        AddOuter(rows, columns, 4 * GramBlocks.Pitch);
        AddOuter(rows, columns, 5 * GramBlocks.Pitch);
        AddOuter(rows, columns, 6 * GramBlocks.Pitch);
        AddOuter(rows, columns, 7 * GramBlocks.Pitch);
    }

    private void AddOuter(ArrayView<DoublePair> rows, ArrayView<DoublePair> columns, int at)
    {
        DoublePair a = rows[at];
        DoublePair b = rows[at + GramBlocks.Odd];
        DoublePair c = columns[at];
        DoublePair d = columns[at + GramBlocks.Odd];
        DoublePair e = rows[at + 8];
        DoublePair f = rows[at + 8 + GramBlocks.Odd];
        DoublePair g = columns[at + 8];
        DoublePair h = columns[at + 8 + GramBlocks.Odd];
        TopLeft.AddOuter(a, b, c, d);
        TopRight.AddOuter(a, b, g, h);
        BottomLeft.AddOuter(e, f, c, d);
        BottomRight.AddOuter(e, f, g, h);
    }
}

/// <summary>
/// Second moments in blocks of 64 x 64 units, one a group of 64 threads, 8 rows a step: the group turns both blocks' rows into doubles once, in
/// shared memory, and multiplies them there, each thread 8 x 8; meanwhile the next rows are on their way. A product of two singles is exact in double
/// precision.
/// </summary>
[Kernel(GroupSize = GramBlocks.Threads, GroupsPerMultiprocessor = GramBlocks.PerMultiprocessor)]
internal readonly struct GramBlocks(
    GramRows rows,
    ArrayView<DoubleSum> partial, // [slices, units, units]
    int hasQuads) // 1 where four neighbours of a row may be read at once
    : IGroupKernel
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 64;

    /// <summary>Groups that a multiprocessor holds: 128 of a thread's registers are its sums, and about 80 what it multiplies and fetches.</summary>
    public const int PerMultiprocessor = 4;

    /// <summary>Units of a block.</summary>
    public const int Edge = 64;

    /// <summary>From a row to the next in shared memory, in pairs.</summary>
    public const int Pitch = Edge / 2;

    /// <summary>
    /// Where in a row the odd pairs begin, behind the even ones: so threads that write, or read, two pairs each find neighbours beside them.
    /// </summary>
    public const int Odd = Pitch / 2;

    private const int Depth = 8;
    private const int Stage = Depth * Pitch;
    private const int Extent = Stage - 7; // of what a thread reads in a step, from its first pair on

    /// <summary>One group, in one slice of the rows, the sums of one block of units with another of the same or higher places.</summary>
    public void Run()
    {
        ArrayView<DoublePair> left = SharedMemory.Allocate<DoublePair>(2 * Stage); // [2, Depth, Edge / 2]: w x
        ArrayView<DoublePair> right = SharedMemory.Allocate<DoublePair>(2 * Stage); // x
        int across = (rows.Units + Edge - 1) / Edge;
        int block = Grid.IdxX % (across * across);
        int slice = Grid.IdxX / (across * across);
        int p = block / across * Edge;
        int q = block % across * Edge;
        if (p > q) return;
        int from = slice * rows.PerSlice;
        int to = from + rows.PerSlice < rows.Count ? from + rows.PerSlice : rows.Count;

        // What a thread fetches: four units of a row and of the fourth row behind it.
        int thread = Group.IdxX;
        int row = thread / (Edge / 4);
        int unit = thread % (Edge / 4) * 4;
        int place = row * Pitch + unit / 4;
        int further = place + Depth / 2 * Pitch;

        // What it multiplies; lanes in pairs as in GemmBlocks.
        int y = (thread >> 5) * 4 + (thread >> 4 & 1) * 2 + (thread & 1);
        int x = thread >> 1 & 7;

        float weight = Weight(from + row, to);
        float nextWeight = Weight(from + row + Depth / 2, to);
        Put(left, place, weight, Load(from + row, p + unit, weight));
        Put(left, further, nextWeight, Load(from + row + Depth / 2, p + unit, nextWeight));
        Put(right, place, 1f, Load(from + row, q + unit, weight));
        Put(right, further, 1f, Load(from + row + Depth / 2, q + unit, nextWeight));
        Group.Barrier();

        DoubleBlock sums = default;
        int stage = 0;
        for (int at = from + Depth; at < to + Depth; at += Depth)
        {
            // Behind the last step these are zeros, which nobody reads.
            weight = Weight(at + row, to);
            nextWeight = Weight(at + row + Depth / 2, to);
            Float4 a = Load(at + row, p + unit, weight);
            Float4 b = Load(at + row + Depth / 2, p + unit, nextWeight);
            Float4 c = Load(at + row, q + unit, weight);
            Float4 d = Load(at + row + Depth / 2, q + unit, nextWeight);
            sums.AddStep(left.SubView(stage + y, Extent), right.SubView(stage + x, Extent));
            stage = Stage - stage;
            Put(left, stage + place, weight, a);
            Put(left, stage + further, nextWeight, b);
            Put(right, stage + place, 1f, c);
            Put(right, stage + further, 1f, d);
            Group.Barrier();
        }

        Write(slice, sums.TopLeft, p + 4 * y, q + 4 * x);
        Write(slice, sums.TopRight, p + 4 * y, q + 4 * x + Edge / 2);
        Write(slice, sums.BottomLeft, p + 4 * y + Edge / 2, q + 4 * x);
        Write(slice, sums.BottomRight, p + 4 * y + Edge / 2, q + 4 * x + Edge / 2);
    }

    // Four units from u on with four from v on.
    private void Write(int slice, DoubleTile tile, int u, int v)
    {
        for (int i = 0; i < 4; i++)
        {
            Double4 line = tile.Row(i);
            for (int j = 0; j < 4; j++)
            {
                bool isInside = v + j < rows.Units && u + i <= v + j;
                if (isInside) partial[(slice * rows.Units + u + i) * rows.Units + v + j] = new DoubleSum { Value = line.Element(j) };
            }
        }
    }

    private static void Put(ArrayView<DoublePair> shared, int place, float weight, Float4 quad)
    {
        shared[place] = new DoublePair { X = (double)weight * quad.X, Y = (double)weight * quad.Y };
        shared[place + Odd] = new DoublePair { X = (double)weight * quad.Z, Y = (double)weight * quad.W };
    }

    // A row's weight; zero from to on.
    private float Weight(int row, int to)
    {
        if (row >= to) return 0f;
        return rows.RowsPerWeight == 0 ? 1f : rows.Weights[row / rows.RowsPerWeight];
    }

    // Four units of a row; zeros beyond the last one, and of a row of weight zero, which is not read.
    private Float4 Load(int row, int unit, float weight)
    {
        Float4 quad = default;
        if (weight == 0f || unit >= rows.Units) return quad;
        int place = row * rows.Units + unit;
        if (hasQuads != 0) return rows.Values.Cast<Float4>()[place / 4];
        quad.X = rows.Values[place];
        if (unit + 1 < rows.Units) quad.Y = rows.Values[place + 1];
        if (unit + 2 < rows.Units) quad.Z = rows.Values[place + 2];
        if (unit + 3 < rows.Units) quad.W = rows.Values[place + 3];
        return quad;
    }
}
