using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Two numbers in double precision, 16 bytes.</summary>
internal struct DoublePair
{
    public double X;
    public double Y;
}

/// <summary>Four numbers in double precision.</summary>
internal struct DoubleQuad
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
    public DoubleQuad Row0;
    public DoubleQuad Row1;
    public DoubleQuad Row2;
    public DoubleQuad Row3;

    /// <summary>Row <paramref name="index"/>.</summary>
    public readonly DoubleQuad Row(int index) => index < 2 ? (index == 0 ? Row0 : Row1) : index == 2 ? Row2 : Row3;

    /// <summary>Adds the outer product of the four rows' numbers and the four columns'.</summary>
    public void AddOuter(ArrayView<DoublePair> rows, ArrayView<DoublePair> columns)
    {
        DoublePair a = rows[0];
        DoublePair b = rows[1];
        DoublePair c = columns[0];
        DoublePair d = columns[1];
        Row0.Add(a.X, c, d);
        Row1.Add(a.Y, c, d);
        Row2.Add(b.X, c, d);
        Row3.Add(b.Y, c, d);
    }
}

/// <summary>
/// Second moments in blocks of 64 x 64 units, one a group of 256 threads, 16 rows a step: the group turns both blocks' rows into doubles once, in shared
/// memory, and multiplies them there, each thread 4 x 4; meanwhile the next rows are on their way. A product of two singles is exact in double precision.
/// </summary>
internal static class GramBlocks
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Units of a block.</summary>
    public const int Edge = 64;

    private const int Depth = 16;
    private const int Pitch = Edge / 2; // pairs
    private const int Stage = Depth * Pitch;

    /// <summary>One group, in one slice of the rows, the sums of one block of units with another of the same or higher places.</summary>
    [KernelEntry(GroupSize = Threads, GroupsPerMultiprocessor = 2)]
    internal static void SumSlices(
        ArrayView<float> rows, // [count, units]
        ArrayView<float> weights, // [count / rowsPerWeight]
        ArrayView<DoubleSum> partial, // [slices, units, units]
        GramExtents e)
    {
        ArrayView<DoublePair> left = SharedMemory.Allocate<DoublePair>(2 * Stage); // [2, Depth, Edge / 2]: w x
        ArrayView<DoublePair> right = SharedMemory.Allocate<DoublePair>(2 * Stage); // x
        int across = (e.Units + Edge - 1) / Edge;
        int block = Grid.IdxX % (across * across);
        int slice = Grid.IdxX / (across * across);
        int p = block / across * Edge;
        int q = block % across * Edge;
        if (p > q) return;
        int from = slice * e.PerSlice;
        int to = from + e.PerSlice < e.Count ? from + e.PerSlice : e.Count;

        int thread = Group.IdxX;
        int row = thread / (Edge / 4);
        int unit = thread % (Edge / 4) * 4;
        int y = thread >> 4;
        int x = thread & 15;
        int place = row * Pitch + unit / 2;

        float weight = e.Weight(weights, from + row, to);
        Put(left, place, weight, e.Load(rows, from + row, p + unit, weight));
        Put(right, place, 1f, e.Load(rows, from + row, q + unit, weight));
        Group.Barrier();

        DoubleTile tile = default;
        int stage = 0;
        for (int at = from; at < to; at += Depth)
        {
            bool hasNext = at + Depth < to;
            Quad nextLeft = default;
            Quad nextRight = default;
            if (hasNext)
            {
                weight = e.Weight(weights, at + Depth + row, to);
                nextLeft = e.Load(rows, at + Depth + row, p + unit, weight);
                nextRight = e.Load(rows, at + Depth + row, q + unit, weight);
            }

            int last = stage + Stage;
            for (int line = stage; line < last; line += Pitch) tile.AddOuter(left.SubView(line + 2 * y, 2), right.SubView(line + 2 * x, 2));

            stage = Stage - stage;
            if (hasNext)
            {
                Put(left, stage + place, weight, nextLeft);
                Put(right, stage + place, 1f, nextRight);
            }

            Group.Barrier();
        }

        for (int i = 0; i < 4; i++)
        {
            DoubleQuad line = tile.Row(i);
            int u = p + 4 * y + i;
            for (int j = 0; j < 4; j++)
            {
                int v = q + 4 * x + j;
                if (v < e.Units && u <= v) partial[(slice * e.Units + u) * e.Units + v] = new DoubleSum { Value = line.Element(j) };
            }
        }
    }

    private static void Put(ArrayView<DoublePair> shared, int place, float weight, Quad quad)
    {
        shared[place] = new DoublePair { X = (double)weight * quad.X, Y = (double)weight * quad.Y };
        shared[place + 1] = new DoublePair { X = (double)weight * quad.Z, Y = (double)weight * quad.W };
    }
}

/// <summary>The rows that <see cref="GramBlocks"/> sums up.</summary>
public struct GramExtents
{
    /// <summary>Numbers of a row.</summary>
    public int Units;

    /// <summary>How many rows.</summary>
    public int Count;

    /// <summary>How many rows in a row share a weight; 0: all weights are one.</summary>
    public int RowsPerWeight;

    /// <summary>Rows of a slice.</summary>
    public int PerSlice;

    /// <summary>1 where four neighbours of a row may be read at once.</summary>
    public int HasQuads;

    /// <summary>A row's weight; zero from <paramref name="to"/> on.</summary>
    internal readonly float Weight(ArrayView<float> weights, int row, int to)
    {
        if (row >= to) return 0f;
        return RowsPerWeight == 0 ? 1f : weights[row / RowsPerWeight];
    }

    /// <summary>Four units of a row; zeros beyond the last one, and of a row of weight zero, which is not read.</summary>
    internal readonly Quad Load(ArrayView<float> rows, int row, int unit, float weight)
    {
        Quad quad = default;
        if (weight == 0f || unit >= Units) return quad;
        int place = row * Units + unit;
        if (HasQuads != 0) return rows.Cast<Quad>()[place / 4];
        quad.X = rows[place];
        if (unit + 1 < Units) quad.Y = rows[place + 1];
        if (unit + 2 < Units) quad.Z = rows[place + 2];
        if (unit + 3 < Units) quad.W = rows[place + 3];
        return quad;
    }
}
