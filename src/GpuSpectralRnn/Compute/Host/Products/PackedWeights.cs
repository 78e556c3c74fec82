using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The right-hand side of repeated products, packed: in panels, or where many of its blocks are zero (<see cref="GemmKernel.BlockDepth"/> terms of a
/// strip of columns, as a block mask leaves them), in strips of those that are not. What is skipped is then not multiplied: 0 x NaN is not seen.
/// Memory is taken once; packing looks at the weights anew each time, since masks come and go in training.
/// </summary>
internal sealed unsafe class PackedWeights : IDisposable
{
    /// <summary>
    /// The share of blocks that are not zero up to which strips are faster than panels: their tiles load one number for each multiply-add, those of
    /// panels three for four (docs/performance.md).
    /// </summary>
    private const double WorthSkipping = 0.6;

    /// <summary>Columns times terms below which blocks are not looked for.</summary>
    private const int LeastCount = 64 * 64;

    /// <summary>Numbers that a third-level cache of 32 MiB does not keep from one step to the next.</summary>
    private const long Far = 1 << 23;

    private readonly int k, columns;
    private readonly bool areFar;
    private readonly ThreadScratch panels, offsets;
    private readonly int[] starts; // of each strip's blocks in offsets; the last: all
    private readonly PackedWeights[] alone;

    /// <summary>
    /// Takes memory for op(W) [k, columns], none where it is empty; <paramref name="pieces"/> of this size are read in turn.
    /// </summary>
    public PackedWeights(int k, int columns, int pieces = 1)
    {
        (this.k, this.columns) = (k, columns);
        areFar = (long)k * columns * pieces > Far;
        panels = new ThreadScratch(1, (long)GemmKernel.Panels(columns) * GemmKernel.PanelWidth * k);
        offsets = new ThreadScratch(1, (long)Strips * Blocks);
        starts = new int[Strips + 1];
        alone = [this];
    }

    /// <summary>Whether the weights as they were packed last have blocks that are skipped.</summary>
    public bool SkipsBlocks { get; private set; }

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => panels.IsDisposed;

    private int Strips => (columns + GemmKernel.StripWidth - 1) / GemmKernel.StripWidth;

    private int Blocks => (k + GemmKernel.BlockDepth - 1) / GemmKernel.BlockDepth;

    private int* Offsets => (int*)offsets.Of(0);

    /// <summary>Packs op(W) [k, columns]; W is [columns, k] where transposed.</summary>
    public void Pack(HostParallel threads, float* w, bool isTransposed) => Pack(threads, alone, w, isTransposed);

    /// <summary>Packs several matrices of one size that stand behind each other.</summary>
    public static void Pack(HostParallel threads, PackedWeights[] all, float* w, bool isTransposed)
    {
        (int k, int columns, int strips) = (all[0].k, all[0].columns, all[0].Strips);
        long size = (long)k * columns;
        if (size >= LeastCount && k >= 2 * GemmKernel.BlockDepth) // strips fit where panels do
        {
            threads.Split(all.Length * strips, 1, all.Length * size / 8, (_, from, to) =>
            {
                for (long i = from; i < to; i++) all[i / strips].FindBlocks(w + i / strips * size, isTransposed, (int)(i % strips));
            });
            foreach (PackedWeights one in all) one.SkipsBlocks = one.ListBlocks() <= WorthSkipping * strips * one.Blocks;
        }

        int panels = GemmKernel.Panels(columns);
        threads.Split(all.Length * panels, 1, all.Length * size, (_, from, to) =>
        {
            for (long i = from; i < to; i++) all[i / panels].PackPanel(w + i / panels * size, isTransposed, (int)(i % panels), panels);
        });
    }

    /// <summary>C [rows, columns] = A op(W) + add, A [rows, k] with the row stride aStride; on the calling thread.</summary>
    public void Multiply(nint rows, float* a, nint aStride, float* c, nint cStride, float* add, nint addStride) =>
        Multiply((0, columns), rows, a, aStride, c, cStride, add, addStride);

    /// <summary>The same for some of the columns; they begin at a whole panel, and end at one or with the last.</summary>
    public void Multiply((int From, int To) part, nint rows, float* a, nint aStride, float* c, nint cStride, float* add, nint addStride)
    {
        if (!SkipsBlocks)
        {
            float* extra = add == null ? null : add + part.From;
            float* panel = panels.Of(0) + (long)part.From * k;
            Gemm.MultiplyPacked(rows, part.To - part.From, k, a, aStride, panel, c + part.From, cStride, extra, addStride, areFar);
            return;
        }

        int width = GemmKernel.StripWidth;
        for (int strip = part.From / width; strip * width < part.To; strip++)
        {
            nint first = strip * width;
            float* extra = add == null ? null : add + first;
            int* own = Offsets + starts[strip];
            nint count = starts[strip + 1] - starts[strip];
            GemmKernel.MultiplyBlocks(
                rows, Math.Min(width, columns - first), k, own, count, a, aStride, Strip(strip), c + first, cStride, extra, addStride);
        }
    }

    /// <summary>
    /// That for several steps, whose blocks of rows of A and C stand steps.A and steps.C apart: where they are not one block of rows, each panel
    /// serves all of them while it is in the cache. add [columns] is that of every row, or null.
    /// </summary>
    public void Multiply(
        (int From, int To) part, (nint Count, nint A, nint C) steps, nint rows, float* a, nint aStride, float* c, nint cStride, float* add)
    {
        bool isOneBlock = steps.Count == 1 || (steps.A == rows * aStride && steps.C == rows * cStride);
        if (isOneBlock)
        {
            Multiply(part, steps.Count * rows, a, aStride, c, cStride, add, 0);
        }
        else if (!SkipsBlocks)
        {
            float* panel = panels.Of(0) + (long)part.From * k;
            Gemm.MultiplyPacked(steps, rows, part.To - part.From, k, a, aStride, panel, c + part.From, cStride, add == null ? null : add + part.From);
        }
        else
        {
            for (nint step = 0; step < steps.Count; step++) Multiply(part, rows, a + step * steps.A, aStride, c + step * steps.C, cStride, add, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        panels.Dispose();
        offsets.Dispose();
    }

    // Only a last block may be cut, which leaves a gap behind it.
    private float* Strip(int strip) => panels.Of(0) + (long)starts[strip] * GemmKernel.BlockDepth * GemmKernel.StripWidth;

    private void PackPanel(float* w, bool isTransposed, int panel, int count)
    {
        int stride = isTransposed ? k : columns;
        if (SkipsBlocks)
        {
            for (int strip = panel * Strips / count; strip < (panel + 1) * Strips / count; strip++) PackStrip(w, stride, isTransposed, strip);
            return;
        }

        nint width = GemmKernel.PanelWidth, first = panel * width;
        float* start = isTransposed ? w + first * stride : w + first;
        GemmPacking.PackPanels(start, stride, isTransposed, k, Math.Min(width, columns - first), 1, panels.Of(0) + first * k, k * width);
    }

    // Counts and lists the blocks of a strip that are not zero.
    private void FindBlocks(float* w, bool isTransposed, int strip)
    {
        int stride = isTransposed ? k : columns, blocks = Blocks, count = 0;
        int* list = Offsets + (long)strip * blocks;
        for (int block = 0; block < blocks; block++)
            if (!IsZero(w, stride, isTransposed, strip, block * GemmKernel.BlockDepth)) list[count++] = block * GemmKernel.BlockDepth;
        starts[strip + 1] = count;
    }

    // Lets the strips' lists follow each other, and counts all.
    private int ListBlocks()
    {
        int strips = Strips, blocks = Blocks;

        // Lists move up to each other; each goes to a place at or before its own.
        starts[0] = 0;
        for (int strip = 0; strip < strips; strip++)
        {
            int count = starts[strip + 1];
            int* list = Offsets + (long)strip * blocks, target = Offsets + starts[strip];
            for (int i = 0; i < count; i++) target[i] = list[i];
            starts[strip + 1] = starts[strip] + count;
        }

        return starts[strips];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool IsZero(float* w, int stride, bool isTransposed, int strip, int term)
    {
        int first = strip * GemmKernel.StripWidth, width = Math.Min(GemmKernel.StripWidth, columns - first);
        int depth = Math.Min(GemmKernel.BlockDepth, k - term);
        (int outer, int inner) = isTransposed ? (width, depth) : (depth, width);
        float* start = isTransposed ? w + (long)first * stride + term : w + (long)term * stride + first;
        for (int i = 0; i < outer; i++)
            for (int j = 0; j < inner; j++)
                if (start[(long)i * stride + j] != 0) return false;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackStrip(float* w, int stride, bool isTransposed, int strip)
    {
        int stripWidth = GemmKernel.StripWidth, first = strip * stripWidth, width = Math.Min(stripWidth, columns - first);
        float* target = Strip(strip);
        for (int i = starts[strip]; i < starts[strip + 1]; i++)
        {
            int term = Offsets[i], depth = Math.Min(GemmKernel.BlockDepth, k - term);
            for (int l = 0; l < depth; l++, target += stripWidth)
            {
                for (int j = 0; j < width; j++)
                    target[j] = isTransposed ? w[(long)(first + j) * stride + term + l] : w[(long)(term + l) * stride + first + j];
                for (int j = width; j < stripWidth; j++) target[j] = 0;
            }
        }
    }
}
