using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>How the pack kernel turns W_hh into what the threads of a tile load.</summary>
public struct PackExtents
{
    /// <summary>H.</summary>
    public int Width;

    /// <summary>H, rounded up.</summary>
    public int Units;

    /// <summary>Gates of the cell.</summary>
    public int Gates;

    /// <summary>Threads of a group.</summary>
    public int Threads;

    /// <summary>Threads that share their rows.</summary>
    public int Lanes;

    /// <summary>Rows of a thread.</summary>
    public int Rows;

    /// <summary>1 where a thread's rows are the gates of one unit.</summary>
    public int RowsAreGates;

    /// <summary>1 where a thread's units are in turned order.</summary>
    public int RowsAreTurned;

    /// <summary>1 where the product is with W_hh transposed.</summary>
    public int IsBackward;
}

/// <summary>One direction of a persistent recurrent cell: its tile, and what all cells do around its kernel.</summary>
internal sealed class PersistentPass
{
    private readonly KernelLoader loader;
    private readonly PersistentTile tile;
    private readonly int gates;
    private readonly bool isBackward;
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, PackExtents> pack;
    private readonly Action<AcceleratorStream, KernelConfig, RecurrentViews, PersistentWalk> walkSteps;

    /// <summary>Loads the kernel for the tile's threads and shared memory.</summary>
    public PersistentPass(KernelLoader loader, PersistentTile tile, int gates, bool isBackward, Action<RecurrentViews, PersistentWalk> kernel)
    {
        this.loader = loader;
        this.tile = tile;
        this.gates = gates;
        this.isBackward = isBackward;
        pack = loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, PackExtents>>(Pack);
        walkSteps = loader.LoadGrouped<Action<AcceleratorStream, KernelConfig, RecurrentViews, PersistentWalk>>(
            kernel, tile.Threads, tile.SharedBytes, out int spilled);
        SpilledBytes = spilled;
    }

    /// <summary>Floats that the arranged weights take.</summary>
    public int ArrangedCount => 4 * tile.WeightQuads;

    /// <summary>Local memory into which a thread of the kernel spills registers, in bytes.</summary>
    public int SpilledBytes { get; }

    /// <summary>Arranges the weights for the tile's threads and takes all steps.</summary>
    public void Run(AcceleratorStream stream, in RecurrentOperands o)
    {
        Arrange(stream, o.Views.Weights, o.Arranged, o.Walk.Width);
        walkSteps(stream, Groups(o.Walk.Batch), o.Views with { Weights = o.Arranged }, Walk(o.Walk, o.GradientFrom));
    }

    private void Arrange(AcceleratorStream stream, ArrayView<float> weights, ArrayView<float> arranged, int width)
    {
        PackExtents extents = new()
        {
            Width = width,
            Units = tile.Units,
            Gates = gates,
            Threads = tile.Threads,
            Lanes = tile.Lanes,
            Rows = tile.Rows,
            RowsAreGates = tile.RowsAreGates ? 1 : 0,
            RowsAreTurned = tile.RowsAreTurned ? 1 : 0,
            IsBackward = isBackward ? 1 : 0,
        };
        pack(stream, ArrangedCount, weights, arranged, extents);
    }

    private KernelConfig Groups(int batch) =>
        new((batch + SequencesFor(batch) - 1) / SequencesFor(batch), tile.Threads, SharedMemoryConfig.RequestDynamic<float>(tile.SharedBytes / sizeof(float)));

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

    /// <summary>One item, one weight of the arrangement [strip, row, thread, 4].</summary>
    [KernelEntry]
    internal static void Pack(
        Index1D index,
        ArrayView<float> weights, // W_hh [G*H, H]
        ArrayView<float> arranged, // [strips, rows, threads, 4]
        PackExtents e)
    {
        int thread = index / 4 % e.Threads;
        int row = index / 4 / e.Threads % e.Rows;
        int strip = index / 4 / e.Threads / e.Rows;
        int shared = thread / e.Lanes;
        int turned = e.RowsAreTurned != 0 ? row ^ (thread & 3) : row;
        int unit = e.RowsAreGates != 0 ? shared : 4 * shared + turned;
        int gate = e.RowsAreGates != 0 ? row : 0;
        int column = (strip * e.Lanes + thread % e.Lanes) * 4 + index % 4;
        if (e.IsBackward != 0)
        {
            gate = column / e.Units;
            int from = column % e.Units;
            bool isInside = gate < e.Gates && from < e.Width && unit < e.Width;
            arranged[index] = isInside ? weights[(gate * e.Width + from) * e.Width + unit] : 0f;
        }
        else
        {
            bool isInside = column < e.Width && unit < e.Width;
            arranged[index] = isInside ? weights[(gate * e.Width + unit) * e.Width + column] : 0f;
        }
    }
}
