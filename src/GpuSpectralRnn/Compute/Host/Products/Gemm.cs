using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Products of matrices in blocks: k in steps of <see cref="GemmKernel.Depth"/>, op(B) packed, A packed where it is transposed. C is divided
/// among the threads in whole rows or panels; the order of an element's additions is fixed, so any number of threads gives the same bits.
/// </summary>
internal sealed unsafe class Gemm(HostParallel threads) : IDisposable
{
    // Whole tiles of either height.
    private const int BlockRows = 72;

    // 512, and what fills the last panel.
    private static readonly int BlockColumns = GemmKernel.Panels(512) * GemmKernel.PanelWidth;
    private static readonly int PanelMemory = 2 * GemmKernel.Depth * BlockColumns;

    // Per thread two depths and more of op(B) and a block of A: 512 + 36 KiB, at home in the second-level cache beside the block of C that they all add to.
    private readonly ThreadScratch scratch = new(threads.Count, PanelMemory + (GemmKernel.Depth * BlockRows));

    /// <summary>C [m, n] = alpha op(A) op(B) + beta C, row-major without gaps; with a bias [n] instead of the old C, + bias in every row.</summary>
    public void Run(int m, int n, int k, float alpha, float* a, bool transposeA, float* b, bool transposeB, float beta, float* c, float* bias = null)
    {
        if (beta != 0 && beta != 1) Elementwise.Run(threads, (long)m * n, new Scale(c, beta));
        if (k == 0 && beta == 0) new Span<float>(c, checked(m * n)).Clear();
        if (m == 0 || n == 0 || k == 0) return;
        float* add = bias != null ? bias : beta != 0 ? c : null;
        Operands x = new(m, n, k, alpha, a, transposeA, b, transposeB, add, bias != null ? 0 : n, c);
        long work = (long)m * n * k;
        if (m == 1 && transposeB && alpha == 1 && GemmKernel.HasRowTransposed)
        {
            threads.Split(n, GemmKernel.RowTransposedColumns, work, (part, from, to) => Row(x, part, (int)from, (int)to));
            return;
        }

        if (n >= m) threads.Split(n, GemmKernel.PanelWidth, work, (part, from, to) => Block(x, part, 0, m, (int)from, (int)to));
        else threads.Split(m, GemmKernel.LargestTile, work, (part, from, to) => Block(x, part, (int)from, (int)to, 0, n));
    }

    /// <inheritdoc/>
    public void Dispose() => scratch.Dispose();

    /// <summary>
    /// C [rows, columns] = A P + add for panels made of all k rows of op(B), [panel][k][PanelWidth]; A [rows, k] row-major with stride aStride. For
    /// repeated products with the same right-hand side; on the calling thread. Where the panels come from beyond the
    /// second-level cache (<paramref name="areFar"/>), each part of them is asked for before its turn.
    /// </summary>
    public static void MultiplyPacked(
        nint rows, nint columns, nint k, float* a, nint aStride, float* panels, float* c, nint cStride, float* add, nint addStride, bool areFar)
    {
        nint width = GemmKernel.PanelWidth;
        if (rows == 1)
        {
            nint group = GemmKernel.RowPanels * width;
            for (nint first = 0; first < columns; first += group)
                GemmKernel.MultiplyRow(k, a, panels + first * k, Math.Min(group, columns - first), c + first, add == null ? null : add + first);
            return;
        }

        for (nint first = 0; first < columns; first += width) Panel(rows, columns, k, a, aStride, panels, first, c, cStride, add, addStride, areFar);
    }

    /// <summary>
    /// The same for several steps, whose blocks of rows of A and C stand stepA and stepC apart: each panel serves all of them while it is in the
    /// cache. add [columns] is that of every row, or null.
    /// </summary>
    public static void MultiplyPacked(
        (nint Count, nint A, nint C) steps,
        nint rows,
        nint columns,
        nint k,
        float* a,
        nint aStride,
        float* panels,
        float* c,
        nint cStride,
        float* add,
        bool areFar)
    {
        for (nint first = 0; first < columns; first += GemmKernel.PanelWidth)
        {
            for (nint step = 0; step < steps.Count; step++)
                Panel(rows, columns, k, a + step * steps.A, aStride, panels, first, c + step * steps.C, cStride, add, 0, areFar);
        }
    }

    // The columns of C that belong to the panel of column `first`.
    private static void Panel(
        nint rows, nint columns, nint k, float* a, nint aStride, float* panels, nint first, float* c, nint cStride, float* add, nint addStride, bool isFar)
    {
        nint valid = Math.Min(GemmKernel.PanelWidth, columns - first);
        float* panel = panels + first * k;
        float* extra = add == null ? null : add + first;
        c += first;
        nint l = 0;
        do
        {
            nint depth = Math.Min(k - l, GemmKernel.Depth);
            GemmKernel.Multiply(rows, valid, depth, a + l, aStride, false, panel, c, cStride, extra, addStride, isFar);
            extra = c;
            addStride = cStride;
            panel += depth * GemmKernel.PanelWidth;
            l += depth;
        }
        while (l < k);
    }

    // A single row of C, columns columnFrom..columnTo, of a B that is transposed: what fills no group of columns is packed.
    private void Row(Operands x, int part, int columnFrom, int columnTo)
    {
        int whole = (columnTo - columnFrom) / GemmKernel.RowTransposedColumns * GemmKernel.RowTransposedColumns;
        float* add = x.Add == null ? null : x.Add + columnFrom;
        GemmKernel.MultiplyRowTransposed(whole, x.K, x.A, x.B + (long)columnFrom * x.K, x.K, x.C + columnFrom, add);
        if (columnFrom + whole < columnTo) Block(x, part, 0, 1, columnFrom + whole, columnTo);
    }

    // C[rowFrom..rowTo, columnFrom..columnTo]
    private void Block(Operands x, int part, int rowFrom, int rowTo, int columnFrom, int columnTo)
    {
        float* panels = scratch.Of(part);
        float* tiles = panels + PanelMemory;
        for (int column = columnFrom; column < columnTo; column += BlockColumns)
        {
            int columns = Math.Min(BlockColumns, columnTo - column);
            int slice = Math.Max(1, PanelMemory / (GemmKernel.Panels(columns) * GemmKernel.PanelWidth) / GemmKernel.Depth) * GemmKernel.Depth;
            for (int first = 0; first < x.K; first += slice)
            {
                int end = Math.Min(x.K, first + slice);
                PackRight(x, column, columns, first, end, panels);
                for (int row = rowFrom; row < rowTo; row += BlockRows)
                    Rows(x, row, Math.Min(BlockRows, rowTo - row), column, columns, first, end, panels, tiles);
            }
        }
    }

    // op(B)[first..end, column..column+columns] as panels, one depth after the other.
    private static void PackRight(Operands x, int column, int columns, int first, int end, float* panels)
    {
        for (int l = first; l < end; l += GemmKernel.Depth)
        {
            int depth = Math.Min(GemmKernel.Depth, end - l);
            float* right = x.TransposeB ? x.B + (long)column * x.K + l : x.B + (long)l * x.N + column;
            GemmPacking.PackPanels(
                right, x.TransposeB ? x.K : x.N, x.TransposeB, depth, columns, x.Alpha, panels, (nint)depth * GemmKernel.PanelWidth);
            panels += depth * GemmKernel.Panels(columns) * GemmKernel.PanelWidth;
        }
    }

    // C[row..row+rows, column..column+columns] over first..end of k.
    private static void Rows(Operands x, int row, int rows, int column, int columns, int first, int end, float* panels, float* tiles)
    {
        int width = GemmKernel.PanelWidth;
        float* c = x.C + (long)row * x.N + column;
        for (int l = first; l < end; l += GemmKernel.Depth)
        {
            int depth = Math.Min(GemmKernel.Depth, end - l);
            (nint start, nint stride) = l > 0 ? (row * (nint)x.N, x.N) : (row * x.AddStride, x.AddStride);
            float* addend = l > 0 ? x.C : x.Add;
            float* left = x.TransposeA ? tiles : x.A + (long)row * x.K + l;
            if (x.TransposeA) GemmPacking.PackTiles(x.A + (long)l * x.M + row, x.M, depth, rows, tiles);
            for (int j = 0; j < columns; j += width, panels += depth * width)
            {
                float* add = addend == null ? null : addend + start + column + j;
                GemmKernel.Multiply(rows, Math.Min(width, columns - j), depth, left, x.K, x.TransposeA, panels, c + j, x.N, add, stride);
            }
        }
    }

    private readonly struct Operands(
        int m, int n, int k, float alpha, float* a, bool transposeA, float* b, bool transposeB, float* add, nint addStride, float* c)
    {
        public readonly int M = m;
        public readonly int N = n;
        public readonly int K = k;
        public readonly float Alpha = alpha;
        public readonly float* A = a;
        public readonly bool TransposeA = transposeA;
        public readonly float* B = b;
        public readonly bool TransposeB = transposeB;
        public readonly float* Add = add;
        public readonly nint AddStride = addStride;
        public readonly float* C = c;
    }
}
