using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

    /// <summary>Rows of the tile of which large operands are made: what leaves the processor's registers for two vectors of the panel and a number of A.</summary>
    public static int LargestTile => Simd.IsWide ? 8 : 6;

    /// <summary>Rows of the highest tile, after which others follow or not.</summary>
    public static int HighestTile => Simd.IsWide ? 10 : LargestTile;

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
}
