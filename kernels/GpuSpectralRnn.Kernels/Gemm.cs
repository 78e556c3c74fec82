using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Extents and strides of C = op(A) op(B): op(A) [M, K], op(B) [K, N], C [M, N] row-major. A transpose is a swap of two strides.</summary>
public struct GemmExtents
{
    /// <summary>Rows of C.</summary>
    public int M;

    /// <summary>Columns of C.</summary>
    public int N;

    /// <summary>The summed extent.</summary>
    public int K;

    /// <summary>From a row of op(A) to the next.</summary>
    public int ARow;

    /// <summary>From a column of op(A) to the next.</summary>
    public int AColumn;

    /// <summary>From a row of op(B) to the next.</summary>
    public int BRow;

    /// <summary>From a column of op(B) to the next.</summary>
    public int BColumn;

    /// <summary>How much of K one slice sums up.</summary>
    public int Slice;

    /// <summary>How many slices there are; with more than one, each writes a partial C behind the other's.</summary>
    public readonly int Slices => (K + Slice - 1) / Slice;
}

/// <summary>
/// Matrix products in single precision. Where C alone has too few tiles to fill the device, K is cut into slices whose partial products are added up
/// in a fixed order.
/// </summary>
public sealed class Gemm : IDisposable
{
    private const int SharedTile = 64;
    private const int SharedDepth = 16;
    private const int SharedThreads = 256;
    private const int SharedPitch = SharedTile + 1; // odd: neighbours in k fall into different banks
    private const long PartialCapacity = 1 << 22;

    private readonly KernelLoader loader;
    private readonly RegisterLauncher registerTiled;
    private readonly SharedLauncher? sharedTiled;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int, float, float> addSlices;
    private readonly MemoryBuffer? partials;

    private delegate void RegisterLauncher(
        AcceleratorStream stream, Index1D items, ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, GemmExtents e, float alpha, float beta);

    private delegate void SharedLauncher(
        AcceleratorStream stream,
        KernelConfig groups,
        ArrayView<float> a,
        ArrayView<float> b,
        ArrayView<float> c,
        GemmExtents e,
        float alpha,
        float beta);

    /// <summary>Loads the kernels: the simulator, and devices that do not grant groups of 256, do without shared memory.</summary>
    public Gemm(KernelLoader loader)
    {
        this.loader = loader;
        registerTiled = loader.Load<RegisterLauncher>(RegisterTiled, 64);
        addSlices = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int, float, float>>(AddSlices);
        if (loader.IsSimulator) return;
        partials = loader.Accelerator.AllocateRaw(PartialCapacity, sizeof(float));
        if (loader.Accelerator.MaxNumThreadsPerGroup >= SharedThreads)
        {
            sharedTiled = loader.LoadGrouped<SharedLauncher>(SharedTiled, SharedThreads);
        }
    }

    /// <summary>C = alpha op(A) op(B) + beta C; with beta 0, C is not read.</summary>
    public void Run(
        AcceleratorStream stream,
        ArrayView<float> a,
        ArrayView<float> b,
        ArrayView<float> c,
        int m,
        int n,
        int k,
        bool transposeA,
        bool transposeB,
        float alpha,
        float beta)
    {
        if (m == 0 || n == 0) return;
        GemmExtents extents = new()
        {
            M = m,
            N = n,
            K = k,
            ARow = transposeA ? 1 : k,
            AColumn = transposeA ? m : 1,
            BRow = transposeB ? 1 : n,
            BColumn = transposeB ? k : 1,
        };
        bool isShared = UsesShared(m, n);
        int edge = isShared ? SharedTile : 4;
        long tiles = (long)((m + edge - 1) / edge) * ((n + edge - 1) / edge);
        long items = isShared ? tiles * SharedThreads : tiles;
        extents.Slice = SliceFor(k, items, (long)m * n);
        int slices = extents.Slices;
        if (slices <= 1)
        {
            Multiply(stream, a, b, c, extents, tiles, isShared, alpha, beta);
            return;
        }

        ArrayView<float> partial = partials!.AsArrayView<float>(0, (long)slices * m * n); // [slices, M, N]
        Multiply(stream, a, b, partial, extents, tiles * slices, isShared, 1f, 0f);
        int width = loader.WidthFor((long)m * n);
        addSlices(stream, width, partial, c, slices, m * n, width, alpha, beta);
    }

    /// <summary>Whether C [m, n] goes through shared memory; narrow ones would leave most of a group idle.</summary>
    public bool UsesShared(int m, int n) => sharedTiled is not null && m >= SharedTile / 2 && n >= SharedTile / 2;

    /// <inheritdoc/>
    public void Dispose() => partials?.Dispose();

    private void Multiply(
        AcceleratorStream stream,
        ArrayView<float> a,
        ArrayView<float> b,
        ArrayView<float> c,
        GemmExtents extents,
        long tiles,
        bool isShared,
        float alpha,
        float beta)
    {
        if (isShared) sharedTiled!(stream, new KernelConfig((int)tiles, SharedThreads), a, b, c, extents, alpha, beta);
        else registerTiled(stream, (int)tiles, a, b, c, extents, alpha, beta);
    }

    // Enough slices to fill the device, none shorter than 64, all within the memory for partial products.
    private int SliceFor(int k, long items, long elements)
    {
        if (partials is null || k < 128) return Math.Max(1, k);
        long slices = Math.Min(Math.Min(loader.BusyWidth / items, k / 64), PartialCapacity / elements);
        return slices <= 1 ? k : (int)((k + slices - 1) / slices);
    }

    /// <summary>
    /// One item, one 4 x 4 block of C. Its columns lie a grid apart, so that neighbouring items read and write neighbouring columns.
    /// </summary>
    [KernelEntry]
    internal static void RegisterTiled(
        Index1D index,
        ArrayView<float> a, // op(A) [M, K]
        ArrayView<float> b, // op(B) [K, N]
        ArrayView<float> c, // [Slices, M, N]
        GemmExtents e,
        float alpha,
        float beta)
    {
        int across = (e.N + 3) / 4;
        int down = (e.M + 3) / 4;
        int column = index % across;
        int row = index / across % down * 4;
        int slice = index / across / down;
        int from = slice * e.Slice;
        int to = from + e.Slice < e.K ? from + e.Slice : e.K;
        RegisterTile tile = RegisterTile.Product(
            a, Places.Of(row, 1, e.M, e.ARow), e.AColumn, b, Places.Of(column, across, e.N, e.BColumn), e.BRow, from, to);
        int place = (slice * e.M + row) * e.N;
        for (int i = 0; i < 4; i++)
        {
            if (row + i < e.M) Store(c, place + i * e.N, column, across, e.N, tile.Row(i), alpha, beta);
        }
    }

    /// <summary>
    /// One group of 256, one 64 x 64 block of C, in steps of 16 through K: both factors' blocks go through shared memory, each thread keeps a 4 x 4
    /// block whose rows and columns lie 16 apart.
    /// </summary>
    [KernelEntry]
    internal static void SharedTiled(
        ArrayView<float> a, // op(A) [M, K]
        ArrayView<float> b, // op(B) [K, N]
        ArrayView<float> c, // [Slices, M, N]
        GemmExtents e,
        float alpha,
        float beta)
    {
        ArrayView<float> left = SharedMemory.Allocate<float>(SharedDepth * SharedPitch); // [k, row]
        ArrayView<float> right = SharedMemory.Allocate<float>(SharedDepth * SharedPitch); // [k, column]
        int across = (e.N + SharedTile - 1) / SharedTile;
        int down = (e.M + SharedTile - 1) / SharedTile;
        int firstColumn = Grid.IdxX % across * SharedTile;
        int firstRow = Grid.IdxX / across % down * SharedTile;
        int slice = Grid.IdxX / across / down;
        int from = slice * e.Slice;
        int to = from + e.Slice < e.K ? from + e.Slice : e.K;
        int thread = Group.IdxX;
        int x = thread & 15;
        int y = thread >> 4;

        RegisterTile tile = default;
        for (int k = from; k < to; k += SharedDepth)
        {
            Fill(left, a, thread, firstRow, e.M, e.ARow, k, to, e.AColumn);
            Fill(right, b, thread, firstColumn, e.N, e.BColumn, k, to, e.BRow);
            Group.Barrier();
            for (int d = 0; d < SharedDepth; d++)
            {
                int place = d * SharedPitch;
                tile.AddOuter(Interleaved(left, place + y), Interleaved(right, place + x));
            }

            Group.Barrier();
        }

        for (int i = 0; i < 4; i++)
        {
            int row = firstRow + y + 16 * i;
            if (row < e.M) Store(c, (slice * e.M + row) * e.N, firstColumn + x, 16, e.N, tile.Row(i), alpha, beta);
        }
    }

    /// <summary>c[i] = alpha sum_s partial[s, i] + beta c[i].</summary>
    [KernelEntry]
    internal static void AddSlices(
        Index1D index,
        ArrayView<float> partial, // [slices, count]
        ArrayView<float> c, // [count]
        int slices,
        int count,
        int width,
        float alpha,
        float beta)
    {
        for (int i = index; i < count; i += width)
        {
            float sum = 0f;
            for (int s = 0; s < slices; s++) sum += partial[s * count + i];
            c[i] = beta == 0f ? alpha * sum : alpha * sum + beta * c[i];
        }
    }

    // Lines first, first + 1, ... of a factor at k, k + 1, ...; zeros beyond its end. Neighbouring threads read neighbouring memory.
    private static void Fill(
        ArrayView<float> shared, ArrayView<float> factor, int thread, int first, int lines, int lineStride, int k, int to, int kStride)
    {
        bool alongLines = lineStride == 1;
        int line = alongLines ? thread & (SharedTile - 1) : thread / SharedDepth;
        int depth = alongLines ? thread / SharedTile : thread & (SharedDepth - 1);
        int lineStep = alongLines ? 0 : SharedThreads / SharedDepth;
        int depthStep = alongLines ? SharedThreads / SharedTile : 0;
        for (int i = 0; i < SharedTile * SharedDepth / SharedThreads; i++)
        {
            bool isInside = first + line < lines && k + depth < to;
            shared[depth * SharedPitch + line] = isInside ? factor[(first + line) * lineStride + (k + depth) * kStride] : 0f;
            line += lineStep;
            depth += depthStep;
        }
    }

    private static Quad Interleaved(ArrayView<float> shared, int place)
    {
        Quad quad = default;
        quad.X = shared[place];
        quad.Y = shared[place + 16];
        quad.Z = shared[place + 32];
        quad.W = shared[place + 48];
        return quad;
    }

    private static void Store(ArrayView<float> c, int row, int column, int step, int columns, Quad sum, float alpha, float beta)
    {
        for (int j = 0; j < 4; j++)
        {
            if (column + j * step >= columns) continue;
            int place = row + column + j * step;
            float product = alpha * sum.Element(j);
            c[place] = beta == 0f ? product : product + beta * c[place];
        }
    }
}
