using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>What the kernels over all steps take.</summary>
internal struct PersistentArguments
{
    public RecurrentViews Views;
    public PersistentWalk Walk;
}

/// <summary>One direction of a persistent recurrent cell: its tile, and what all cells do around its kernel.</summary>
internal sealed class PersistentPass
{
    private readonly KernelLoader loader;
    private readonly PersistentTile tile;
    private readonly int gates;
    private readonly bool isBackward;
    private readonly Launcher<Pack> pack;
    private readonly Launcher<PersistentArguments> walkSteps;

    private PersistentPass(
        KernelLoader loader, PersistentTile tile, int gates, bool isBackward, Launcher<PersistentArguments> walkSteps, int spilledBytes)
    {
        this.loader = loader;
        this.tile = tile;
        this.gates = gates;
        this.isBackward = isBackward;
        this.walkSteps = walkSteps;
        pack = loader.Items<Pack>();
        SpilledBytes = spilledBytes;
    }

    /// <summary>Loads the kernel for the tile's threads and shared memory.</summary>
    /// <param name="loader">Loads it.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="gates">Gates of the cell.</param>
    /// <param name="isBackward">Whether the product is with W_hh transposed.</param>
    /// <param name="kernel">The kernel, open.</param>
    /// <param name="close">The types that close it, given a strip and an exchange.</param>
    /// <exception cref="NotSupportedException">The driver does not grant so much shared memory, or so many threads.</exception>
    public static PersistentPass Load(
        KernelLoader loader, PersistentTile tile, int gates, bool isBackward, Type kernel, Func<Type, Type, Type[]> close)
    {
        Type strip = tile.RegisterStrips == 2 ? typeof(Strip2) : typeof(Strip4);
        Type exchange = tile.UsesShuffles ? typeof(ByShuffles) : typeof(ThroughShared);
        return typeof(PersistentPass).GetMethod(nameof(LoadClosed), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(kernel.MakeGenericType(close(strip, exchange)))
            .CreateDelegate<Func<KernelLoader, PersistentTile, int, bool, PersistentPass>>()(loader, tile, gates, isBackward);
    }

    private static PersistentPass LoadClosed<TKernel>(KernelLoader loader, PersistentTile tile, int gates, bool isBackward)
        where TKernel : struct, IGroupKernel, IKernelWith<TKernel, PersistentArguments>
    {
        Launcher<TKernel> launcher = loader.Groups<TKernel>(tile.Threads, tile.SharedBytes, out int spilled);
        return new PersistentPass(loader, tile, gates, isBackward, KernelLoader.Sharing<TKernel, PersistentArguments>(launcher), spilled);
    }

    /// <summary>Floats that the arranged weights take.</summary>
    public int ArrangedCount => 4 * tile.WeightQuads;

    /// <summary>Local memory into which a thread of the kernel spills registers, in bytes.</summary>
    public int SpilledBytes { get; }

    /// <summary>Arranges the weights for the tile's threads and takes all steps.</summary>
    public void Run(AcceleratorStream stream, in RecurrentOperands o)
    {
        pack(stream, ArrangedCount, new(o.Views.Weights, o.Arranged, tile, o.Walk.Width, gates, isBackward));
        int groups = (o.Walk.Batch + SequencesFor(o.Walk.Batch) - 1) / SequencesFor(o.Walk.Batch);
        walkSteps(stream, groups, new() { Views = o.Views with { Weights = o.Arranged }, Walk = Walk(o.Walk, o.GradientFrom) });
    }

    private PersistentWalk Walk(RecurrentWalk walk, int gradientFrom)
    {
        int slot = walk.Batch * walk.Width;
        bool startsAtEnd = walk.IsReverse != isBackward;
        return new PersistentWalk
        {
            Steps = walk.Steps,
            Batch = walk.Batch,
            Width = walk.Width,
            FirstTime = startsAtEnd ? walk.Steps - 1 : 0,
            TimeStep = startsAtEnd ? -1 : 1,
            Start = startsAtEnd ? (walk.Steps - 1) * slot : 0,
            Stride = startsAtEnd ? -slot : slot,
            Before = walk.IsReverse ? slot : 0,
            After = walk.IsReverse ? 0 : slot,
            WithGradient = walk.Steps - gradientFrom,
            Sequences = SequencesFor(walk.Batch),
            Pitch = tile.Pitch,
            Units = tile.Units,
            ScratchAt = tile.ScratchAt,
            WeightsAt = tile.WeightsAt,
            SharedStrips = tile.SharedStrips,
        };
    }

    // A step takes longer the more sequences a group walks: no more than it takes to give every group a multiprocessor.
    private int SequencesFor(int batch)
    {
        int sequences = 1;
        while (sequences < tile.Sequences && (batch + sequences - 1) / sequences > loader.Multiprocessors) sequences *= 2;
        return sequences;
    }

    /// <summary>Turns W_hh into what the threads of a tile load: one item, one weight of the arrangement [strip, row, thread, 4].</summary>
    internal readonly struct Pack(
        ArrayView<float> weights, // W_hh [G*H, H]
        ArrayView<float> arranged, // [strips, rows, threads, 4]
        PersistentTile tile,
        int width,
        int gates,
        bool isBackward) // with W_hh transposed
        : IItemKernel
    {
        private readonly int units = tile.Units;
        private readonly int threads = tile.Threads;
        private readonly int lanes = tile.Lanes;
        private readonly int rows = tile.Rows;
        private readonly int rowsAreGates = tile.RowsAreGates ? 1 : 0;
        private readonly int rowsAreTurned = tile.RowsAreTurned ? 1 : 0;
        private readonly int backward = isBackward ? 1 : 0;

        public void Run(int item)
        {
            int thread = item / 4 % threads;
            int row = item / 4 / threads % rows;
            int strip = item / 4 / threads / rows;
            int shared = thread / lanes;
            int turned = rowsAreTurned != 0 ? row ^ (thread & 3) : row;
            int unit = rowsAreGates != 0 ? shared : 4 * shared + turned;
            int gate = rowsAreGates != 0 ? row : 0;
            int column = (strip * lanes + thread % lanes) * 4 + item % 4;
            if (backward != 0)
            {
                gate = column / units;
                int from = column % units;
                bool isInside = gate < gates && from < width && unit < width;
                arranged[item] = isInside ? weights[(gate * width + from) * width + unit] : 0f;
            }
            else
            {
                bool isInside = column < width && unit < width;
                arranged[item] = isInside ? weights[(gate * width + unit) * width + column] : 0f;
            }
        }
    }
}
