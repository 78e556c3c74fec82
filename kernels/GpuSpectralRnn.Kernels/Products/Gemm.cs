using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>How a product is computed.</summary>
public enum GemmPlan
{
    /// <summary>
    /// A 4 x 4 block of C in the registers of each item, the factors read from global memory: the simulator, and devices with small groups.
    /// </summary>
    Registers,

    /// <summary>4 rows of up to 128 columns of C for each item: OpenCL on a processor.</summary>
    Panels,

    /// <summary>A 64 x 64 block of C in each group, the factors through shared memory.</summary>
    SmallBlocks,

    /// <summary>A 128 x 128 block of C in each group, the factors through shared memory.</summary>
    LargeBlocks,

    /// <summary>128 x 128 blocks on tensor cores, which round the factors to TF32 (10 bits of mantissa); only on request.</summary>
    TensorCores,

    /// <summary>Weighted column sums of one factor, where the other is a vector.</summary>
    ColumnSums,
}

/// <summary>A product to compute, C = alpha op(A) op(B) + beta C.</summary>
/// <param name="A">op(A) is [M, K].</param>
/// <param name="B">op(B) is [K, N].</param>
/// <param name="C">[M, N].</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">The summed extent.</param>
/// <param name="TransposeA">Whether A is [K, M].</param>
/// <param name="TransposeB">Whether B is [N, K].</param>
/// <param name="Alpha">Factor on the product.</param>
/// <param name="Beta">Factor on the old C; with 0, C is not read.</param>
public readonly record struct GemmCall(
    ArrayView<float> A,
    ArrayView<float> B,
    ArrayView<float> C,
    int M,
    int N,
    int K,
    bool TransposeA = false,
    bool TransposeB = false,
    float Alpha = 1f,
    float Beta = 0f);

/// <summary>Arguments of the kernels of products: C = alpha op(A) op(B) + beta C. A transpose is a swap of two strides.</summary>
public struct GemmArguments
{
    /// <summary>op(A) [M, K].</summary>
    public ArrayView<float> Left;

    /// <summary>op(B) [K, N].</summary>
    public ArrayView<float> Right;

    /// <summary>C [M, N] row-major; with slices [Slices, M, N].</summary>
    public ArrayView<float> C;

    /// <summary>op(A): its lines are the M rows.</summary>
    public GemmOperand A;

    /// <summary>op(B): its lines are the N columns.</summary>
    public GemmOperand B;

    /// <summary>Factor on the product.</summary>
    public float Alpha;

    /// <summary>Factor on the old C; with 0, C is not read.</summary>
    public float Beta;

    /// <summary>The summed extent.</summary>
    public int K;

    /// <summary>Length of a slice of K; a multiple of 4, or K.</summary>
    public int Slice;

    /// <summary>1 where C can be accessed by 128 bits.</summary>
    public int HasQuads;

    /// <summary>Rows of C.</summary>
    public readonly int M => A.Lines;

    /// <summary>Columns of C.</summary>
    public readonly int N => B.Lines;

    /// <summary>Number of slices of K; with more than one, C holds one partial product for each.</summary>
    public readonly int Slices => (K + Slice - 1) / Slice;
}

/// <summary>
/// Matrix products in single precision. Where C alone has too few blocks to fill the device, K is cut into slices whose partial products are added up
/// in a fixed order.
/// </summary>
public sealed class Gemm : IDisposable
{
    private const int Threads = GemmBlocks.Threads;
    private const int ShortestSlice = 64;
    private const long PartialCapacity = 1 << 22;

    private readonly KernelLoader loader;
    private readonly Launcher<GemmTiles> registerTiled;
    private readonly GemmPanels? panels;
    private readonly Launcher<GemmArguments>? smallBlocks;
    private readonly Launcher<GemmArguments>? largeBlocks;
    private readonly Launcher<GemmArguments>[]? tensorCores; // both factors by quads, right by singles, left by singles, both by singles
    private readonly ColumnSums sums;
    private readonly Scratch partials;
    private readonly Launcher<Transpose>? transpose;
    private readonly Scratch? transposed;

    /// <summary>
    /// Loads the kernels; <paramref name="sums"/> belongs to the caller. Devices on the processor, or without groups of 256, get kernels without
    /// shared memory. With <paramref name="roundsToTf32"/> the device must have tensor cores for TF32.
    /// </summary>
    public Gemm(KernelLoader loader, ColumnSums sums, bool roundsToTf32 = false)
    {
        this.loader = loader;
        this.sums = sums;
        registerTiled = loader.Items<GemmTiles>();
        partials = new Scratch(loader.Memory);
        if (loader.IsProcessor)
        {
            panels = new GemmPanels(loader);
            transpose = loader.Elements<Transpose>();
            transposed = new Scratch(loader.Memory);
        }

        if (!loader.CanShare(Threads)) return;
        smallBlocks = Load<GemmBlocks<SmallBlock>>();
        largeBlocks = Load<GemmBlocks<LargeBlock>>();
        if (!roundsToTf32) return;
        tensorCores =
        [
            Load<GemmTensorCores<ByQuads, ByQuads>>(),
            Load<GemmTensorCores<ByQuads, BySingles>>(),
            Load<GemmTensorCores<BySingles, ByQuads>>(),
            Load<GemmTensorCores<BySingles, BySingles>>(),
        ];

        Launcher<GemmArguments> Load<TKernel>()
            where TKernel : struct, IGroupKernel, IKernelWith<TKernel, GemmArguments> =>
            KernelLoader.Sharing<TKernel, GemmArguments>(loader.Groups<TKernel>());
    }

    /// <summary>Whether a device has tensor cores that take TF32: CUDA from compute capability 8.0 on.</summary>
    public static bool HasTensorCores(Accelerator accelerator) => accelerator is CudaAccelerator { Architecture.Major: >= 8 };

    /// <summary>Computes a product.</summary>
    public void Run(AcceleratorStream stream, in GemmCall call)
    {
        (int m, int n, int k) = (call.M, call.N, call.K);
        if (m == 0 || n == 0) return;
        if (call.TransposeB && PlanFor(m, n, k) == GemmPlan.Panels && k > 0)
        {
            // Panels read B along its rows.
            ArrayView<float> rows = transposed!.Of((long)n * k); // [K, N]
            transpose!(stream, n * k, new(call.B, rows, n, k));
            Run(stream, call with { B = rows, TransposeB = false });
            return;
        }

        GemmPlan plan = PlanFor(m, n, k, call.TransposeA, call.TransposeB);
        if (plan == GemmPlan.ColumnSums)
        {
            (ArrayView<float> x, ArrayView<float> weights, int columns) =
                n == 1 && call.TransposeA ? (call.A, call.B, m) : (call.B, call.A, n);
            sums.RunWeighted(
                stream, new() { X = x, Sums = call.C, Rows = k, Columns = columns, Alpha = call.Alpha, Beta = call.Beta }, weights);
            return;
        }

        long blocks = BlocksOf(plan, m, n);
        GemmArguments arguments = new()
        {
            Left = call.A,
            Right = call.B,
            C = call.C,
            A = GemmOperand.Create(call.A, m, k, linesAreRows: !call.TransposeA),
            B = GemmOperand.Create(call.B, n, k, linesAreRows: call.TransposeB),
            K = k,
            Slice = SliceFor(plan, m, n, k),
            HasQuads = GemmOperand.StartsAtQuad(call.C) && n % 4 == 0 ? 1 : 0,
            Alpha = call.Alpha,
            Beta = call.Beta,
        };
        int slices = arguments.Slices;
        if (slices <= 1)
        {
            Multiply(plan, stream, blocks, arguments);
            return;
        }

        ArrayView<float> partial = partials.Of((long)slices * m * n); // [slices, M, N]
        Multiply(plan, stream, blocks * slices, arguments with { C = partial, HasQuads = n % 4 == 0 ? 1 : 0, Alpha = 1f, Beta = 0f });
        sums.Run(stream, new() { X = partial, Sums = call.C, Rows = slices, Columns = m * n, Alpha = call.Alpha, Beta = call.Beta });
    }

    /// <summary>
    /// The plan for a product of these extents. Large blocks do twice the arithmetic per number read from shared memory, and are taken where there
    /// is one for each multiprocessor, counting slices of K of 256. Blocks are faster than register tiles even where most of a block lies beyond the
    /// edge, because latency is paid once for 16 k. The exception are vectors whose other factor has contiguous rows: column sums.
    /// </summary>
    public GemmPlan PlanFor(int m, int n, int k, bool transposeA = false, bool transposeB = false)
    {
        if (panels is not null) return m < GemmPanels.Rows ? GemmPlan.Registers : GemmPlan.Panels;
        if (smallBlocks is null) return GemmPlan.Registers;
        bool isLine = (n == 1 && transposeA && ColumnSums.CanWeigh(m)) || (m == 1 && !transposeB && ColumnSums.CanWeigh(n));
        if (isLine && k > 0) return GemmPlan.ColumnSums;
        long large = (long)((m + LargeBlock.Size - 1) / LargeBlock.Size) * ((n + LargeBlock.Size - 1) / LargeBlock.Size) * Math.Max(1, k / 256);
        bool fits = m > LargeBlock.Size / 2 && n > LargeBlock.Size / 2;
        if (fits && tensorCores is not null) return GemmPlan.TensorCores;
        return fits && large >= loader.Multiprocessors ? GemmPlan.LargeBlocks : GemmPlan.SmallBlocks;
    }

    /// <summary>Number of slices of K for a plan.</summary>
    public int SlicesFor(GemmPlan plan, int m, int n, int k) => (k + SliceFor(plan, m, n, k) - 1) / SliceFor(plan, m, n, k);

    /// <summary>Number of blocks of C for a plan.</summary>
    public static long BlocksOf(GemmPlan plan, int m, int n)
    {
        int edge = EdgeOf(plan);
        return (long)((m + edge - 1) / edge) * ((n + edge - 1) / edge);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        partials.Dispose();
        transposed?.Dispose();
    }

    private static int EdgeOf(GemmPlan plan) => plan switch
    {
        GemmPlan.LargeBlocks => LargeBlock.Size,
        GemmPlan.TensorCores => GemmTensorCores.Size,
        GemmPlan.SmallBlocks => SmallBlock.Size,
        _ => 4,
    };

    private void Multiply(GemmPlan plan, AcceleratorStream stream, long blocks, in GemmArguments arguments)
    {
        Launcher<GemmArguments>? blocked = plan switch
        {
            GemmPlan.LargeBlocks => largeBlocks,
            GemmPlan.SmallBlocks => smallBlocks,
            GemmPlan.TensorCores => tensorCores![2 * (1 - arguments.A.HasQuads) + 1 - arguments.B.HasQuads],
            _ => null,
        };
        if (blocked is not null) blocked(stream, (int)blocks, arguments);
        else if (plan == GemmPlan.Panels) panels!.Run(stream, arguments);
        else registerTiled(stream, (int)blocks, new(arguments));
    }

    // Enough slices to fill the device (a multiprocessor holds two groups), none too short, all within the memory for partial products.
    private int SliceFor(GemmPlan plan, int m, int n, int k)
    {
        if (loader.IsSimulator || plan == GemmPlan.Panels || k < 2 * ShortestSlice) return Math.Max(1, k);
        long wanted = plan == GemmPlan.Registers ? loader.BusyWidth : 2 * loader.Multiprocessors;
        long slices = Math.Min(Math.Min(wanted / BlocksOf(plan, m, n), k / ShortestSlice), PartialCapacity / ((long)m * n));
        return slices <= 1 ? k : (int)((k + slices - 1) / slices + 3) / 4 * 4;
    }
}

/// <summary>
/// One item, one 4 x 4 block of C. Its columns are ceil(N / 4) apart, so that accesses of neighbouring items coalesce.
/// </summary>
[Kernel(GroupSize = 64)]
internal readonly struct GemmTiles(GemmArguments e) : IItemKernel
{
    public void Run(int item)
    {
        int across = (e.N + 3) / 4;
        int down = (e.M + 3) / 4;
        int column = item % across;
        int row = item / across % down * 4;
        int slice = item / across / down;
        int from = slice * e.Slice;
        int to = from + e.Slice < e.K ? from + e.Slice : e.K;
        RegisterTile tile = RegisterTile.Product(
            e.Left, QuadIndices.Create(row, 1, e.M, e.A.LineStride), e.A.Step,
            e.Right, QuadIndices.Create(column, across, e.N, e.B.LineStride), e.B.Step,
            from, to);
        int place = (slice * e.M + row) * e.N;
        for (int i = 0; i < 4; i++)
        {
            if (row + i >= e.M) continue;
            Float4 sums = tile.Row(i);
            for (int j = 0; j < 4; j++)
            {
                int at = column + j * across;
                if (at >= e.N) continue;
                at += place + i * e.N;
                float product = e.Alpha * sums.Element(j);
                e.C[at] = e.Beta == 0f ? product : product + e.Beta * e.C[at];
            }
        }
    }
}
