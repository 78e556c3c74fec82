using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <content>
/// Tiles over the blocks of a strip of columns that are not all zero. A strip is as wide as a vector, a block is <see cref="BlockDepth"/> terms of
/// it; blocks lie one behind the other, and for each the place of its first term is given. Every element is one chain of multiply-adds over the
/// blocks.
/// </content>
internal static unsafe partial class GemmKernel
{
    /// <summary>Terms of a block.</summary>
    public const int BlockDepth = 8;

    /// <summary>Columns of a strip.</summary>
    public static int StripWidth
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Simd.IsWide ? Simd512.Count : SimdVectorT.Count;
    }

    /// <summary>Strips that hold <paramref name="columns"/> columns.</summary>
    public static int Strips(int columns) => (columns + StripWidth - 1) / StripWidth;

    /// <summary>C [rows, columns] = A P + add for one strip P of <paramref name="count"/> blocks; columns are those of a strip at most.</summary>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="columns">Columns of C.</param>
    /// <param name="k">Terms of A's rows; the last block may be cut.</param>
    /// <param name="offsets">The first term of each block, ascending.</param>
    /// <param name="count">Number of blocks.</param>
    /// <param name="a">A, with the row stride <paramref name="rowStride"/>.</param>
    /// <param name="rowStride">Floats from row to row of A.</param>
    /// <param name="strip">The blocks, [terms][StripWidth] each.</param>
    /// <param name="c">Receives the product.</param>
    /// <param name="cStride">Floats from row to row of C.</param>
    /// <param name="add">Added to it; null for nothing.</param>
    /// <param name="addStride">Floats from row to row of what is added; 0 repeats one row.</param>
    public static void MultiplyBlocks(
        nint rows, nint columns, nint k, int* offsets, nint count, float* a, nint rowStride, float* strip, float* c, nint cStride, float* add,
            nint addStride)
    {
        bool isWhole = columns == StripWidth;
        if (Simd.IsWide && isWhole) Multiply<Simd512, Vector512<float>, AllLanes<Simd512, Vector512<float>>>(default);
        else if (Simd.IsWide) Multiply<Simd512, Vector512<float>, FirstLanes512>(new((int)columns));
        else if (isWhole) Multiply<SimdVectorT, Vector<float>, AllLanes<SimdVectorT, Vector<float>>>(default);
        else Multiply<SimdVectorT, Vector<float>, FirstLanesAny>(new((int)columns));

        void Multiply<TSimd, TVector, TLanes>(TLanes last)
            where TSimd : struct, ISimd<TVector>
            where TVector : unmanaged
            where TLanes : struct, ILanes<TVector> =>
            BlockTiles<TSimd, TVector, TLanes>(last, rows, k, offsets, count, a, rowStride, strip, c, cStride, add, addStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlockTiles<TSimd, TVector, TLanes>(
        TLanes last, nint rows, nint k, int* offsets, nint count, float* a, nint rowStride, float* strip, float* c, nint cStride, float* add,
            nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        nint row = 0;
        for (; row + 8 <= rows; row += 8)
            Blocks8<TSimd, TVector, TLanes>(last, k, offsets, count, a + row * rowStride, rowStride, strip, c + row * cStride, cStride,
                Down(add, row * addStride), addStride);
        for (; row + 4 <= rows; row += 4)
            Blocks4<TSimd, TVector, TLanes>(last, k, offsets, count, a + row * rowStride, rowStride, strip, c + row * cStride, cStride,
                Down(add, row * addStride), addStride);
        for (; row < rows; row++)
            Blocks1<TSimd, TVector, TLanes>(last, k, offsets, count, a + row * rowStride, strip, c + row * cStride, Down(add, row * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blocks8<TSimd, TVector, TLanes>(
        TLanes last, nint k, int* offsets, nint count, float* a, nint s, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero;
        nint s3 = 3 * s;
        for (nint block = 0; block < count; block++)
        {
            float* upper = a + offsets[block];
            float* lower = upper + 4 * s;
            for (nint l = Math.Min(BlockDepth, k - offsets[block]); l > 0; l--)
            {
                TVector b0 = TSimd.Load(b);
                c0 = TSimd.MultiplyAdd(TSimd.Broadcast(upper[0]), b0, c0);
                c1 = TSimd.MultiplyAdd(TSimd.Broadcast(upper[s]), b0, c1);
                c2 = TSimd.MultiplyAdd(TSimd.Broadcast(upper[2 * s]), b0, c2);
                c3 = TSimd.MultiplyAdd(TSimd.Broadcast(upper[s3]), b0, c3);
                c4 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[0]), b0, c4);
                c5 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[s]), b0, c5);
                c6 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[2 * s]), b0, c6);
                c7 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[s3]), b0, c7);
                upper++;
                lower++;
                b += TSimd.Count;
            }
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c2, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c3, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c4, c + 4 * cStride, Down(add, 4 * addStride));
        Put<TSimd, TVector, TLanes>(last, c5, c + 5 * cStride, Down(add, 5 * addStride));
        Put<TSimd, TVector, TLanes>(last, c6, c + 6 * cStride, Down(add, 6 * addStride));
        Put<TSimd, TVector, TLanes>(last, c7, c + 7 * cStride, Down(add, 7 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blocks4<TSimd, TVector, TLanes>(
        TLanes last, nint k, int* offsets, nint count, float* a, nint s, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero;
        nint s3 = 3 * s;
        for (nint block = 0; block < count; block++)
        {
            float* x = a + offsets[block];
            for (nint l = Math.Min(BlockDepth, k - offsets[block]); l > 0; l--)
            {
                TVector b0 = TSimd.Load(b);
                c0 = TSimd.MultiplyAdd(TSimd.Broadcast(x[0]), b0, c0);
                c1 = TSimd.MultiplyAdd(TSimd.Broadcast(x[s]), b0, c1);
                c2 = TSimd.MultiplyAdd(TSimd.Broadcast(x[2 * s]), b0, c2);
                c3 = TSimd.MultiplyAdd(TSimd.Broadcast(x[s3]), b0, c3);
                x++;
                b += TSimd.Count;
            }
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c2, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c3, c + 3 * cStride, Down(add, 3 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blocks1<TSimd, TVector, TLanes>(TLanes last, nint k, int* offsets, nint count, float* a, float* b, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector c0 = TSimd.Broadcast(0);
        for (nint block = 0; block < count; block++)
        {
            float* x = a + offsets[block];
            for (nint l = Math.Min(BlockDepth, k - offsets[block]); l > 0; l--)
            {
                c0 = TSimd.MultiplyAdd(TSimd.Broadcast(*x++), TSimd.Load(b), c0);
                b += TSimd.Count;
            }
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
    }
}
