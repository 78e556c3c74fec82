using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Some columns of <see cref="PackedWeights"/>: in panels, or in strips of those blocks that are not zero.</summary>
internal sealed unsafe class PackedColumns : IDisposable
{
    private readonly int k, columns;
    private readonly ColumnGroups source;
    private readonly bool areFar;
    private readonly ThreadScratch panels, offsets;
    private readonly int[] starts; // of each strip's blocks in offsets; the last: all
    private bool skipsBlocks;

    /// <summary>
    /// Takes the memory for columns of W and, where <paramref name="columns"/> are more, columns of zeros behind them; whether they come from
    /// beyond the second-level cache each time they are read.
    /// </summary>
    public PackedColumns(int k, ColumnGroups source, int columns, bool areFar)
    {
        (this.k, this.source, this.columns, this.areFar) = (k, source, columns, areFar);
        panels = new ThreadScratch(1, (long)Panels * GemmKernel.PanelWidth * Blocks(k) * GemmKernel.BlockDepth);
        offsets = new ThreadScratch(1, (long)GemmKernel.Strips(columns) * Blocks(k));
        starts = new int[GemmKernel.Strips(columns) + 1];
    }

    /// <summary>Number of columns, those of zeros included.</summary>
    public int Columns => columns;

    /// <summary>Number of panels.</summary>
    public int Panels => GemmKernel.Panels(columns);

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => panels.IsDisposed;

    private int* Offsets => (int*)offsets.Of(0);

    /// <summary>Blocks of a strip of <paramref name="k"/> terms.</summary>
    public static int Blocks(int k) => (k + GemmKernel.BlockDepth - 1) / GemmKernel.BlockDepth;

    /// <summary>The terms of a block.</summary>
    public static (int From, int End) Terms(int block, int k) => (block * GemmKernel.BlockDepth, Math.Min(k, (block + 1) * GemmKernel.BlockDepth));

    /// <summary>Before the panels are packed: all blocks are multiplied.</summary>
    public void TakeAll() => skipsBlocks = false;

    /// <summary>Before the panels are packed: finds the blocks that are not zero; the others are skipped.</summary>
    public void SkipZeros(HostParallel threads, float* w, nint stride, bool isTransposed)
    {
        skipsBlocks = true;
        threads.Split(starts.Length - 1, 1, (long)k * columns / 8, (_, from, to) =>
        {
            for (long strip = from; strip < to; strip++) FindBlocks(w, stride, isTransposed, (int)strip);
        });
        ListBlocks();
    }

    /// <summary>Packs a panel, or the strips in its place; nothing where there are fewer.</summary>
    public void PackPanel(float* w, nint stride, bool isTransposed, int panel)
    {
        if (panel >= Panels) return;
        int strips = starts.Length - 1;
        if (skipsBlocks)
        {
            for (int strip = panel * strips / Panels; strip < (panel + 1) * strips / Panels; strip++) PackStrip(w, stride, isTransposed, strip);
            return;
        }

        int width = GemmKernel.PanelWidth, first = panel * width, end = Math.Min(first + width, source.Columns);
        float* target = panels.Of(0) + (long)first * k;
        if (end < first + width) new Span<float>(target, checked(k * width)).Clear();
        for (int j = first; j < end;)
        {
            (int from, int count) = source.RunAt(j, end);
            GemmPacking.PackColumns(w + from * (isTransposed ? stride : 1), stride, isTransposed, k, count, 1, target + (j - first));
            j += count;
        }
    }

    /// <summary>C [rows, columns] = A op(W) + add, A [rows, k] with the row stride aStride; on the calling thread.</summary>
    public void Multiply(nint rows, float* a, nint aStride, float* c, nint cStride, float* add, nint addStride)
    {
        if (!skipsBlocks)
        {
            Gemm.MultiplyPacked(rows, columns, k, a, aStride, panels.Of(0), c, cStride, add, addStride, areFar);
            return;
        }

        int width = GemmKernel.StripWidth;
        for (int strip = 0; strip < starts.Length - 1; strip++)
        {
            nint first = strip * width, count = starts[strip + 1] - starts[strip];
            float* extra = add == null ? null : add + first;
            GemmKernel.MultiplyBlocks(
                rows, Math.Min(width, columns - first), k, Offsets + starts[strip], count, a, aStride, Strip(strip), c + first, cStride, extra, addStride);
        }
    }

    /// <summary>
    /// That for several steps, whose blocks of rows of A and C stand steps.A and steps.C apart: where they are not one block of rows, each panel
    /// serves all of them while it is in the cache. add [columns] is that of every row, or null.
    /// </summary>
    public void Multiply((nint Count, nint A, nint C) steps, nint rows, float* a, nint aStride, float* c, nint cStride, float* add)
    {
        bool isOneBlock = steps.Count == 1 || (steps.A == rows * aStride && steps.C == rows * cStride);
        if (isOneBlock) Multiply(steps.Count * rows, a, aStride, c, cStride, add, 0);
        else if (!skipsBlocks) Gemm.MultiplyPacked(steps, rows, columns, k, a, aStride, panels.Of(0), c, cStride, add, areFar);
        else for (nint step = 0; step < steps.Count; step++) Multiply(rows, a + step * steps.A, aStride, c + step * steps.C, cStride, add, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        panels.Dispose();
        offsets.Dispose();
    }

    /// <summary>Whether columns and terms of op(W) are zero; w is [columns, k] where transposed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsZero(float* w, nint stride, bool isTransposed, (int From, int End) columns, (int From, int End) terms)
    {
        ((int outer, int outerEnd), (int inner, int innerEnd)) = isTransposed ? (columns, terms) : (terms, columns);
        for (int i = outer; i < outerEnd; i++)
            for (int j = inner; j < innerEnd; j++)
                if (w[i * stride + j] != 0) return false;
        return true;
    }

    // Only a last block may be cut, which leaves a gap behind it.
    private float* Strip(int strip) => panels.Of(0) + (long)starts[strip] * GemmKernel.BlockDepth * GemmKernel.StripWidth;

    // Counts and lists the blocks of a strip that are not zero.
    private void FindBlocks(float* w, nint stride, bool isTransposed, int strip)
    {
        int blocks = Blocks(k), count = 0, first = strip * GemmKernel.StripWidth, end = Math.Min(first + GemmKernel.StripWidth, source.Columns);
        int* list = Offsets + (long)strip * blocks;
        for (int block = 0; block < blocks; block++)
        {
            bool isZero = true;
            for (int j = first; isZero && j < end;)
            {
                (int from, int run) = source.RunAt(j, end);
                isZero = IsZero(w, stride, isTransposed, (from, from + run), Terms(block, k));
                j += run;
            }

            if (!isZero) list[count++] = block * GemmKernel.BlockDepth;
        }

        starts[strip + 1] = count;
    }

    // Lets the strips' lists follow each other.
    private void ListBlocks()
    {
        int blocks = Blocks(k);

        // Lists move up to each other; each goes to a place at or before its own.
        starts[0] = 0;
        for (int strip = 0; strip < starts.Length - 1; strip++)
        {
            int count = starts[strip + 1];
            int* list = Offsets + (long)strip * blocks, target = Offsets + starts[strip];
            for (int i = 0; i < count; i++) target[i] = list[i];
            starts[strip + 1] = starts[strip] + count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackStrip(float* w, nint stride, bool isTransposed, int strip)
    {
        int width = GemmKernel.StripWidth, first = strip * width, end = Math.Min(first + width, source.Columns);
        float* target = Strip(strip);
        for (int i = starts[strip]; i < starts[strip + 1]; i++, target += GemmKernel.BlockDepth * width)
        {
            (int term, int termEnd) = (Offsets[i], Math.Min(k, Offsets[i] + GemmKernel.BlockDepth));
            new Span<float>(target, (termEnd - term) * width).Clear();
            for (int j = first; j < end;)
            {
                (int from, int run) = source.RunAt(j, end);
                for (int column = from; column < from + run; column++, j++)
                    for (int l = term; l < termEnd; l++) target[(l - term) * width + (j - first)] = isTransposed ? w[column * stride + l] : w[l * stride + column];
            }
        }
    }
}
