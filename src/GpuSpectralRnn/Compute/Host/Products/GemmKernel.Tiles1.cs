using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <content>Tiles over the first vector of a panel whose others hold no column.</content>
internal static unsafe partial class GemmKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile1<TSimd, TVector, TLanes>(
        TLanes last, int height, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        if (height == 10) Tile10x1<TSimd, TVector, TLanes>(last, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 8) Tile8x1<TSimd, TVector, TLanes>(last, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 5) Tile5x1<TSimd, TVector, TLanes>(last, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 4) Tile4x1<TSimd, TVector, TLanes>(last, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 3) Tile3x1<TSimd, TVector, TLanes>(last, k, a, s, along, b, c, cStride, add, addStride);
        else if (height == 2) Tile2x1<TSimd, TVector, TLanes>(last, k, a, s, along, b, c, cStride, add, addStride);
        else Tile1x1<TSimd, TVector, TLanes>(last, k, a, along, b, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile10x1<TSimd, TVector, TLanes>(
        TLanes last, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero, c9 = zero;
        float* lower = a + 5 * s;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[2 * s]), b0, c2);
            c3 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s3]), b0, c3);
            c4 = TSimd.MultiplyAdd(TSimd.Broadcast(a[4 * s]), b0, c4);
            c5 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[0]), b0, c5);
            c6 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[s]), b0, c6);
            c7 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[2 * s]), b0, c7);
            c8 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[s3]), b0, c8);
            c9 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[4 * s]), b0, c9);
            a += along;
            lower += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c2, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c3, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c4, c + 4 * cStride, Down(add, 4 * addStride));
        Put<TSimd, TVector, TLanes>(last, c5, c + 5 * cStride, Down(add, 5 * addStride));
        Put<TSimd, TVector, TLanes>(last, c6, c + 6 * cStride, Down(add, 6 * addStride));
        Put<TSimd, TVector, TLanes>(last, c7, c + 7 * cStride, Down(add, 7 * addStride));
        Put<TSimd, TVector, TLanes>(last, c8, c + 8 * cStride, Down(add, 8 * addStride));
        Put<TSimd, TVector, TLanes>(last, c9, c + 9 * cStride, Down(add, 9 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8x1<TSimd, TVector, TLanes>(
        TLanes last, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero;
        float* lower = a + 4 * s;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[2 * s]), b0, c2);
            c3 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s3]), b0, c3);
            c4 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[0]), b0, c4);
            c5 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[s]), b0, c5);
            c6 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[2 * s]), b0, c6);
            c7 = TSimd.MultiplyAdd(TSimd.Broadcast(lower[s3]), b0, c7);
            a += along;
            lower += along;
            b += PanelWidth;
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
    private static void Tile5x1<TSimd, TVector, TLanes>(
        TLanes last, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[2 * s]), b0, c2);
            c3 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s3]), b0, c3);
            c4 = TSimd.MultiplyAdd(TSimd.Broadcast(a[4 * s]), b0, c4);
            a += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c2, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c3, c + 3 * cStride, Down(add, 3 * addStride));
        Put<TSimd, TVector, TLanes>(last, c4, c + 4 * cStride, Down(add, 4 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x1<TSimd, TVector, TLanes>(
        TLanes last, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero;
        nint s3 = 3 * s;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[2 * s]), b0, c2);
            c3 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s3]), b0, c3);
            a += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c2, c + 2 * cStride, Down(add, 2 * addStride));
        Put<TSimd, TVector, TLanes>(last, c3, c + 3 * cStride, Down(add, 3 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile3x1<TSimd, TVector, TLanes>(
        TLanes last, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector c0 = zero, c1 = zero, c2 = zero;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s]), b0, c1);
            c2 = TSimd.MultiplyAdd(TSimd.Broadcast(a[2 * s]), b0, c2);
            a += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
        Put<TSimd, TVector, TLanes>(last, c2, c + 2 * cStride, Down(add, 2 * addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x1<TSimd, TVector, TLanes>(
        TLanes last, nint k, float* a, nint s, nint along, float* b, float* c, nint cStride, float* add, nint addStride)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector c0 = TSimd.Broadcast(0);
        TVector c1 = c0;
        for (; k > 0; k--)
        {
            TVector b0 = TSimd.Load(b);
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(a[0]), b0, c0);
            c1 = TSimd.MultiplyAdd(TSimd.Broadcast(a[s]), b0, c1);
            a += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
        Put<TSimd, TVector, TLanes>(last, c1, c + cStride, Down(add, addStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x1<TSimd, TVector, TLanes>(TLanes last, nint k, float* a, nint along, float* b, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector c0 = TSimd.Broadcast(0);
        for (; k > 0; k--)
        {
            c0 = TSimd.MultiplyAdd(TSimd.Broadcast(*a), TSimd.Load(b), c0);
            a += along;
            b += PanelWidth;
        }

        Put<TSimd, TVector, TLanes>(last, c0, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVector, TLanes>(TLanes last, TVector value, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        if (add != null) value = TSimd.Add(value, last.Load(add));
        last.Store(value, c);
    }
}
