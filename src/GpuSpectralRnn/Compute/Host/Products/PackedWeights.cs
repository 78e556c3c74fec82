using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The right-hand side of repeated products, op(W) [k, columns], packed in pieces. Memory is taken once; packing looks at the weights anew each time,
/// since masks come and go in training: where many of their blocks are zero (<see cref="GemmKernel.BlockDepth"/> terms of a strip of columns, as a block
/// mask leaves them), these are skipped. 0 x NaN is then not seen.
/// </summary>
internal sealed unsafe class PackedWeights : IDisposable
{
    /// <summary>
    /// Numbers that a second-level cache does not keep from one step to the next: tiles ask for the next ones while they work. Fewer lose by it.
    /// </summary>
    public const long Far = 1 << 19;

    /// <summary>
    /// The share of blocks that are not zero up to which strips are faster than panels: their tiles load one number for each multiply-add, those of
    /// panels two for three (docs/performance.md).
    /// </summary>
    private const double WorthSkipping = 0.6;

    /// <summary>Columns times terms below which blocks are not looked for.</summary>
    private const int LeastCount = 64 * 64;

    private readonly int k, mostPanels;
    private readonly ColumnGroups whole;
    private readonly PackedColumns[] pieces;
    private readonly int[] counts; // of each strip's blocks that are not zero, group by group

    /// <summary>Takes the memory for one piece with all columns, none where it is empty.</summary>
    public PackedWeights(int k, int columns)
        : this(k, ColumnGroups.All(columns), [ColumnGroups.All(columns)])
    {
    }

    /// <summary>
    /// Takes the memory for pieces that make up the whole; where padded, each ends with columns of zeros that fill its last vector.
    /// </summary>
    public PackedWeights(int k, ColumnGroups whole, ColumnGroups[] pieces, bool isPadded = false)
    {
        (this.k, this.whole) = (k, whole);
        bool areFar = (long)k * whole.Columns > Far;
        this.pieces = [.. pieces.Select(piece => new PackedColumns(k, piece, isPadded ? GemmKernel.WholeVectors(piece.Columns) : piece.Columns, areFar))];
        mostPanels = this.pieces.Max(piece => piece.Panels);
        counts = new int[whole.Count * GemmKernel.Strips(whole.Units)];
    }

    /// <summary>Whether the weights as they were packed last have blocks that are skipped.</summary>
    public bool SkipsBlocks { get; private set; }

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => pieces[0].IsDisposed;

    /// <summary>One of the pieces.</summary>
    public PackedColumns this[int piece] => pieces[piece];

    /// <summary>Packs op(W); W is [columns, k] where transposed.</summary>
    public void Pack(HostParallel threads, float* w, bool isTransposed)
    {
        nint stride = isTransposed ? k : whole.Columns;
        long size = (long)k * whole.Columns;

        // Of the whole, so that neither pieces nor threads decide about the order of additions.
        SkipsBlocks = size >= LeastCount && k >= 2 * GemmKernel.BlockDepth && ShareOfBlocks(threads, w, stride, isTransposed) <= WorthSkipping;
        foreach (PackedColumns piece in pieces)
        {
            if (SkipsBlocks) piece.SkipZeros(threads, w, stride, isTransposed);
            else piece.TakeAll();
        }

        threads.Split(pieces.Length * mostPanels, 1, size, (_, from, to) =>
        {
            for (long i = from; i < to; i++) pieces[i / mostPanels].PackPanel(w, stride, isTransposed, (int)(i % mostPanels));
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PackedColumns piece in pieces) piece.Dispose();
    }

    // The share of the whole's blocks that are not zero.
    private double ShareOfBlocks(HostParallel threads, float* w, nint stride, bool isTransposed)
    {
        int strips = GemmKernel.Strips(whole.Units), blocks = PackedColumns.Blocks(k);
        threads.Split(counts.Length, 1, (long)k * whole.Columns / 8, (_, from, to) =>
        {
            for (long i = from; i < to; i++)
            {
                int first = (int)(i % strips) * GemmKernel.StripWidth, end = Math.Min(first + GemmKernel.StripWidth, whole.Units);
                float* columns = w + (i / strips * whole.Stride + whole.First) * (isTransposed ? stride : 1);
                int count = 0;
                for (int block = 0; block < blocks; block++)
                    if (!PackedColumns.IsZero(columns, stride, isTransposed, (first, end), PackedColumns.Terms(block, k))) count++;
                counts[i] = count;
            }
        });
        return counts.Sum() / (double)((long)counts.Length * blocks);
    }
}
