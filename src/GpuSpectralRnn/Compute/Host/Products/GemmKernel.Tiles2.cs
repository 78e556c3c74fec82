using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <content>Tiles over the first two vectors of a panel.</content>
internal static unsafe partial class GemmKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile2<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, int height, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        if (height == 10) Tile10x2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 8) Tile8x2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 5) Tile5x2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 4) Tile4x2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 3) Tile3x2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 2) Tile2x2<TSimd, TVector, TLanes, TPrefetch>(last, prefetch, k, a, s, along, b, c, cStride, add, addStride);
        else Tile1x2<TSimd, TVector, TLanes>(last, k, a, along, b, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile10x2<TSimd, TVector, TLanes, TPrefetch>(
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
            b += PanelWidth;
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
    private static void Tile8x2<TSimd, TVector, TLanes, TPrefetch>(
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
            b += PanelWidth;
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
    private static void Tile5x2<TSimd, TVector, TLanes, TPrefetch>(
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
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c40, c41, c + 4 * cStride, Down(add, 4 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x2<TSimd, TVector, TLanes, TPrefetch>(
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
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c30, c31, c + 3 * cStride, Down(add, 3 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile3x2<TSimd, TVector, TLanes, TPrefetch>(
        TLanes last, TPrefetch prefetch, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
        where TPrefetch : struct, IPrefetch
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero;
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
            a += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c20, c21, c + 2 * cStride, Down(add, 2 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x2<TSimd, TVector, TLanes, TPrefetch>(
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
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c00, c01, c, add);
        Put<TSimd, TVector, TLanes>(last, c10, c11, c + cStride, Down(add, addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x2<TSimd, TVector, TLanes>(TLanes last, nint k, float* a, nint along, float* b, float* c, float* add)
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
            b += PanelWidth;
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
