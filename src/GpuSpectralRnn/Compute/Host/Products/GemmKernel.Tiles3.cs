using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <content>
/// Tiles over three vectors of a panel, for 16 registers: 4 rows make 12 sums, enough for none to wait for the one before. 6 rows of two vectors are as
/// fast, but what is left over of 16, 20 and 32 rows then goes to tiles whose few sums wait.
/// </content>
internal static unsafe partial class GemmKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile3<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, int height, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        if (height == 4) Tile4x3<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 3) Tile3x3<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 2) Tile2x3<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else Tile1x3<TSimd, TVector, TLanes>(last, k, a, along, b, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x3<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c02 = zero, c10 = zero, c11 = zero, c12 = zero;
        TVector c20 = zero, c21 = zero, c22 = zero, c30 = zero, c31 = zero, c32 = zero;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector b2 = TSimd.Load(b + 2 * TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            c02 = TSimd.MultiplyAdd(x, b2, c02);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            c12 = TSimd.MultiplyAdd(x, b2, c12);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            c22 = TSimd.MultiplyAdd(x, b2, c22);
            x = TSimd.Broadcast(a[s3]);
            c30 = TSimd.MultiplyAdd(x, b0, c30);
            c31 = TSimd.MultiplyAdd(x, b1, c31);
            c32 = TSimd.MultiplyAdd(x, b2, c32);
            a += along;
            b += 3 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c02, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c12, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c22, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c32, c + 3 * cStride, Down(add, 3 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile3x3<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c02 = zero, c10 = zero, c11 = zero, c12 = zero, c20 = zero, c21 = zero, c22 = zero;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector b2 = TSimd.Load(b + 2 * TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            c02 = TSimd.MultiplyAdd(x, b2, c02);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            c12 = TSimd.MultiplyAdd(x, b2, c12);
            x = TSimd.Broadcast(a[2 * s]);
            c20 = TSimd.MultiplyAdd(x, b0, c20);
            c21 = TSimd.MultiplyAdd(x, b1, c21);
            c22 = TSimd.MultiplyAdd(x, b2, c22);
            a += along;
            b += 3 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c02, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c12, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c22, c + 2 * cStride, Down(add, 2 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x3<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c02 = zero, c10 = zero, c11 = zero, c12 = zero;
        for (; k > 0; k--)
        {
            prefetch.Next();
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector b2 = TSimd.Load(b + 2 * TSimd.Count);
            TVector x = TSimd.Broadcast(a[0]);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            c02 = TSimd.MultiplyAdd(x, b2, c02);
            x = TSimd.Broadcast(a[s]);
            c10 = TSimd.MultiplyAdd(x, b0, c10);
            c11 = TSimd.MultiplyAdd(x, b1, c11);
            c12 = TSimd.MultiplyAdd(x, b2, c12);
            a += along;
            b += 3 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c02, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c12, c + cStride, Down(add, addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x3<TSimd, TVector, TLanes>(TLanes last, nint k, float* a, nint along, float* b, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c02 = zero;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            TVector b1 = TSimd.Load(b + TSimd.Count);
            TVector b2 = TSimd.Load(b + 2 * TSimd.Count);
            TVector x = TSimd.Broadcast(*a);
            c00 = TSimd.MultiplyAdd(x, b0, c00);
            c01 = TSimd.MultiplyAdd(x, b1, c01);
            c02 = TSimd.MultiplyAdd(x, b2, c02);
            a += along;
            b += 3 * TSimd.Count;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c02, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVector, TLanes>(TLanes last, TVector first, TVector second, TVector third, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        if (add != null)
        {
            first = TSimd.Add(first, TSimd.Load(add));
            second = TSimd.Add(second, TSimd.Load(add + TSimd.Count));
            third = TSimd.Add(third, last.Load(add + 2 * TSimd.Count));
        }

        TSimd.Store(first, c);
        TSimd.Store(second, c + TSimd.Count);
        last.Store(third, c + 2 * TSimd.Count);
    }
}
