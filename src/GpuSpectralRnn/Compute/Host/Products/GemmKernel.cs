using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The register-tiled product of a few rows with one packed panel. A panel holds two or three vectors' worth of columns: [K][PanelWidth], zero beyond
/// the last column; vectors without a column are not multiplied. Every element is one chain of multiply-adds over k from zero, to which <c>add</c>
/// comes last, so the shape of the tile does not change its bits.
/// </summary>
internal static unsafe partial class GemmKernel
{
    /// <summary>
    /// k-extent of one pass: a panel of it and a tile of rows stay in the first-level cache. A fixed part of the order of additions.
    /// </summary>
    public const int Depth = 128;

    /// <summary>
    /// Vectors of a panel. With 16 registers four rows of three make the 12 sums that hide how long a multiply-add takes, and every multiple of four rows
    /// is made of such tiles; 32 registers hold 16 and 20 sums of two vectors.
    /// </summary>
    public static int PanelVectors
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Simd.IsWide ? 2 : 3;
    }

    /// <summary>Columns of a panel.</summary>
    public static int PanelWidth
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => PanelVectors * StripWidth;
    }

    /// <summary>Panels that hold <paramref name="columns"/> columns.</summary>
    public static int Panels(int columns) => (columns + PanelWidth - 1) / PanelWidth;

    /// <summary><paramref name="columns"/> and as many more as fill the last vector.</summary>
    public static int WholeVectors(int columns) => Strips(columns) * StripWidth;

    /// <summary>Rows of the tile of which large operands are made: what leaves the processor's registers for the panel's vectors and a number of A.</summary>
    public static int LargestTile => PanelVectors == 3 ? 4 : 8;

    /// <summary>Rows of the highest tile, after which others follow or not.</summary>
    public static int HighestTile => PanelVectors == 3 ? LargestTile : 10;

    /// <summary>
    /// The height of the tile that starts where <paramref name="rows"/> rows are left: packed operands follow it. Few sums wait for each other, so what is
    /// left over is not left to a tile of 1 or 2 rows: 9 rows are three tiles of 3, or one of 5 and one of 4.
    /// </summary>
    public static int TileHeight(long rows) =>
        PanelVectors == 2 ? HighTileHeight(rows)
        : rows is 5 or 6 or 9 ? 3
        : (int)Math.Min(rows, LargestTile);

    // The same for tiles of two vectors with 32 registers, and for tiles of one vector.
    private static int HighTileHeight(long rows) =>
        rows is 10 or 14 or 15 ? 10
        : rows >= 8 && rows is not 9 ? 8
        : rows is 5 or 9 ? 5
        : (int)Math.Min(rows, 4);

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
        int vectors = Strips((int)columns);
        bool isWhole = columns % StripWidth == 0;
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
                MultiplyTiles<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, vectors, rows, k, a, rowStride, isPacked, panel, c, cStride, add, addStride);
        }
    }

    // Lanes of the last vector that hold a column.
    private static int LastLanes(nint columns) => (int)((columns - 1) % StripWidth) + 1;

    // The last of the vectors is read and written through `last`. Compiled by itself, so that no caller is, with all tiles in it, when it is compiled anew.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyTiles<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last,
        TPrefetch prefetch,
        int vectors,
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
            // Tiles that are packed have their heights; a single vector of 16 registers leaves room for more.
            int height = vectors == 1 && !isPacked ? HighTileHeight(rows - row) : TileHeight(rows - row);
            float* tile = a + row * (isPacked ? k : rowStride);
            nint down = isPacked ? 1 : rowStride;
            nint along = isPacked ? height : 1;
            float* target = c + row * cStride;
            float* extra = add == null ? null : add + row * addStride;
            if (vectors == 1) Tile1<TSimd, TVector, TLanes>(last, height, k, tile, down, along, panel, target, cStride, extra, addStride);
            else if (PanelVectors == 2 || vectors == 2) Tile2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, height, k, tile, down, along, panel, target, cStride, extra, addStride);
            else Tile3<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, height, k, tile, down, along, panel, target, cStride, extra, addStride);
            row += height;
            prefetch.Skip(k);
        }
    }
}
