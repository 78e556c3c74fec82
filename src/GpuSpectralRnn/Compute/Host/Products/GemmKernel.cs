using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The register-tiled product of a few rows with one packed panel. A panel holds two vectors' worth of columns: [K][PanelWidth], zero beyond the
/// last column; where one vector holds all columns, only that one is multiplied. Every element is one chain of multiply-adds over k from zero, to
/// which <c>add</c> comes last, so the shape of the tile does not change its bits.
/// </summary>
internal static unsafe partial class GemmKernel
{
    /// <summary>
    /// k-extent of one pass: a panel of it and a tile of rows stay in the first-level cache. A fixed part of the order of additions.
    /// </summary>
    public const int Depth = 128;

    /// <summary>Columns of a panel.</summary>
    public static int PanelWidth => Simd.IsWide ? 2 * Simd512.Count : 2 * SimdVectorT.Count;

    /// <summary>Panels that hold <paramref name="columns"/> columns.</summary>
    public static int Panels(int columns) => (columns + PanelWidth - 1) / PanelWidth;

    /// <summary><paramref name="columns"/> and as many more as fill the last vector.</summary>
    public static int WholeVectors(int columns) => Strips(columns) * StripWidth;

    /// <summary>Rows of the highest tile, after which others follow or not.</summary>
    public const int HighestTile = 10;

    /// <summary>Rows of the tile of which large operands are made: what leaves the processor's registers for two vectors of the panel and a number of A.</summary>
    public static int LargestTile => Simd.IsWide ? 8 : 6;

    /// <summary>The most rows that a tile has.</summary>
    public static int MostRows => Simd.IsWide ? HighestTile : LargestTile;

    /// <summary>
    /// The height of the tile that starts where <paramref name="rows"/> rows are left: packed operands follow it. Two tiles of 4 rows are faster than
    /// one of 6 with a rest; one of 10, which fits 512 bits, than one of 8 and one of 2, and one of 5 than one of 4 and one of 1, whose few sums wait
    /// for each other.
    /// </summary>
    public static int TileHeight(long rows) =>
        Simd.IsWide && rows is 10 or 11 ? 10
        : Simd.IsWide && rows >= 8 && rows is not 9 ? 8
        : !Simd.IsWide && rows >= 6 && rows is not (8 or 9) ? 6
        : rows == 5 ? 5
        : rows >= 4 ? 4
        : rows >= 2 ? 2
        : 1;

    /// <summary>
    /// C [rows, columns] = A P + add for one panel P over k rows of it. Element (i, l) of A stands at a[i rowStride + l stepStride]; with
    /// <paramref name="isPacked"/> A is made of tiles by <see cref="GemmPacking.PackTiles"/> instead. add has the row stride addStride (0 repeats
    /// one row), or is null. Where the panel <paramref name="isFar"/>, what stands behind its k rows is asked for.
    /// </summary>
    public static void Multiply(
        nint rows,
        nint columns,
        nint k,
        float* a,
        nint rowStride,
        bool isPacked,
        float* panel,
        float* c,
        nint cStride,
        float* add,
        nint addStride,
        bool isFar = false)
    {
        bool isNarrow = columns <= PanelWidth / 2;
        bool isWhole = columns % (PanelWidth / 2) == 0;
        if (Simd.IsWide && isWhole) Multiply<Simd512, Vector512<float>, AllLanes<Simd512, Vector512<float>>>(default);
        else if (Simd.IsWide) Multiply<Simd512, Vector512<float>, FirstLanes512>(new(LastLanes(columns)));
        else if (isWhole) Multiply<SimdVectorT, Vector<float>, AllLanes<SimdVectorT, Vector<float>>>(default);
        else Multiply<SimdVectorT, Vector<float>, FirstLanesAny>(new(LastLanes(columns)));

        void Multiply<TSimd, TVector, TLanes>(TLanes last)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector>
        {
            if (isFar && PrefetchNextPart.IsSupported) Run<PrefetchNextPart>(new(panel, k, rows));
            else Run<NoPrefetch>(default);

            void Run<TPrefetch>(TPrefetch prefetch)
                where TPrefetch : struct, IPrefetch =>
                MultiplyTiles<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, isNarrow, rows, k, a, rowStride, isPacked, panel, c, cStride, add, addStride);
        }
    }

    // Lanes of the panel's last vector that hold a column.
    private static int LastLanes(nint columns) => (int)((columns - 1) % (PanelWidth / 2)) + 1;

    // The panel's last vector is read and written through `last`; a narrow one is the panel's only vector.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTiles<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last,
        TPrefetch prefetch,
        bool isNarrow,
        nint rows,
        nint k,
        float* a,
        nint rowStride,
        bool isPacked,
        float* panel,
        float* c,
        nint cStride,
        float* add,
        nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        for (nint row = 0; row < rows;)
        {
            int height = TileHeight(rows - row);
            float* tile = a + row * (isPacked ? k : rowStride);
            nint down = isPacked ? 1 : rowStride;
            nint along = isPacked ? height : 1;
            float* target = c + row * cStride;
            float* extra = add == null ? null : add + row * addStride;
            if (isNarrow && height == 10) Narrow10<TSimd, TVector, TLanes>(last, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (isNarrow && height == 8) Narrow8<TSimd, TVector, TLanes>(last, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (isNarrow && height == 6) Narrow6<TSimd, TVector, TLanes>(last, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (isNarrow && height == 5) Narrow5<TSimd, TVector, TLanes>(last, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (isNarrow && height == 4) Narrow4<TSimd, TVector, TLanes>(last, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (isNarrow && height == 2) Narrow2<TSimd, TVector, TLanes>(last, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (isNarrow) Narrow1<TSimd, TVector, TLanes>(last, k, tile, along, panel, target, extra);
            else if (height == 10) Tile10<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (height == 8) Tile8<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (height == 6) Tile6<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (height == 5) Tile5<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (height == 4) Tile4<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (height == 2) Tile2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, tile, down, along, panel, target, cStride, extra, addStride);
            else Tile1<TSimd, TVector, TLanes>(last, k, tile, along, panel, target, extra);
            row += height;
            prefetch.Skip(k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile10<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero, c40 = zero, c41 = zero;
        TVector c50 = zero, c51 = zero, c60 = zero, c61 = zero, c70 = zero, c71 = zero, c80 = zero, c81 = zero, c90 = zero, c91 = zero;
        float* lower = a + 5 * s;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(a[s3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Broadcast(a[4 * s]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Broadcast(lower[0]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
            x = TSimd.Broadcast(lower[s]);
            c60 = TSimd.MultiplyAdd(x, b0, c60);
            c61 = TSimd.MultiplyAdd(x, b1, c61);
            x = TSimd.Broadcast(lower[2 * s]);
            c70 = TSimd.MultiplyAdd(x, b0, c70);
            c71 = TSimd.MultiplyAdd(x, b1, c71);
            x = TSimd.Broadcast(lower[s3]);
            c80 = TSimd.MultiplyAdd(x, b0, c80);
            c81 = TSimd.MultiplyAdd(x, b1, c81);
            x = TSimd.Broadcast(lower[4 * s]);
            c90 = TSimd.MultiplyAdd(x, b0, c90);
            c91 = TSimd.MultiplyAdd(x, b1, c91);
            a += along;
            lower += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c40, c41, c + 4 * cStride, Down(add, 4 * addStride));
        Put<TSimd, TVector, TLanes>(last, c50, c51, c + 5 * cStride, Down(add, 5 * addStride));
        Put<TSimd, TVector, TLanes>(last, c60, c61, c + 6 * cStride, Down(add, 6 * addStride));
        Put<TSimd, TVector, TLanes>(last, c70, c71, c + 7 * cStride, Down(add, 7 * addStride));
        Put<TSimd, TVector, TLanes>(last, c80, c81, c + 8 * cStride, Down(add, 8 * addStride));
        Put<TSimd, TVector, TLanes>(last, c90, c91, c + 9 * cStride, Down(add, 9 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
        TVector c40 = zero, c41 = zero, c50 = zero, c51 = zero, c60 = zero, c61 = zero, c70 = zero, c71 = zero;
        float* lower = a + 4 * s;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(a[s3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Broadcast(lower[0]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Broadcast(lower[s]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
            x = TSimd.Broadcast(lower[2 * s]);
            c60 = TSimd.MultiplyAdd(x, b0, c60);
            c61 = TSimd.MultiplyAdd(x, b1, c61);
            x = TSimd.Broadcast(lower[s3]);
            c70 = TSimd.MultiplyAdd(x, b0, c70);
            c71 = TSimd.MultiplyAdd(x, b1, c71);
            a += along;
            lower += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c40, c41, c + 4 * cStride, Down(add, 4 * addStride));
        Put<TSimd, TVector, TLanes>(last, c50, c51, c + 5 * cStride, Down(add, 5 * addStride));
        Put<TSimd, TVector, TLanes>(last, c60, c61, c + 6 * cStride, Down(add, 6 * addStride));
        Put<TSimd, TVector, TLanes>(last, c70, c71, c + 7 * cStride, Down(add, 7 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile6<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
        TVector c40 = zero, c41 = zero, c50 = zero, c51 = zero;
        float* lower = a + 3 * s;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(lower[0]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Broadcast(lower[s]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            x = TSimd.Broadcast(lower[2 * s]);
            c50 = TSimd.MultiplyAdd(x, b0, c50);
            c51 = TSimd.MultiplyAdd(x, b1, c51);
            a += along;
            lower += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c40, c41, c + 4 * cStride, Down(add, 4 * addStride));
        Put<TSimd, TVector, TLanes>(last, c50, c51, c + 5 * cStride, Down(add, 5 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile5<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero, c40 = zero, c41 = zero;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(a[s3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            x = TSimd.Broadcast(a[4 * s]);
            c40 = TSimd.MultiplyAdd(x, b0, c40);
            c41 = TSimd.MultiplyAdd(x, b1, c41);
            a += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c40, c41, c + 4 * cStride, Down(add, 4 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            x = TSimd.Broadcast(a[s3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            a += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            a += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1<TSimd, TVector, TLanes>(TLanes last, nint k, float* a, nint along, float* b, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector c0 = TSimd.Broadcast(0);
        TVector c1 = c0;
        for (; k > 0; k--)
        {
            TVector x = TSimd.Broadcast(*a);
            c0 = TSimd.MultiplyAdd(x, TSimd.Load(b), c0);
            c1 = TSimd.MultiplyAdd(x, TSimd.Load(b + TSimd.Count), c1);
            a += along;
            b += 2 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c1, c, add);
    }

    private static float* Down(float* add, nint offset) => add == null ? null : add + offset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVector, TLanes>(TLanes last, TVector first, TVector second, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        if (add != null)
        {
            first = TSimd.Add(first, TSimd.Load(add));
            second = TSimd.Add(second, last.Load(add + TSimd.Count));
        }

        TSimd.Store(first, c);
        last.Store(second, c + TSimd.Count);
    }
}
