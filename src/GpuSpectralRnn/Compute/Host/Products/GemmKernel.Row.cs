using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <content>A single row times several panels at a time: the two sums of one panel would wait for their multiply-adds.</content>
internal static unsafe partial class GemmKernel
{
    /// <summary>Panels that <see cref="MultiplyRow"/> takes.</summary>
    public const int RowPanels = 4;

    /// <summary>
    /// c [RowPanels PanelWidth] = a P + add for a row a [k] and as many whole panels of all k rows, one behind the other; add may be null. The same
    /// additions in the same order as those of <see cref="Multiply"/> in steps of <see cref="Depth"/>.
    /// </summary>
    public static void MultiplyRow(nint k, float* a, float* panels, float* c, float* add)
    {
        if (Simd.IsWide) MultiplyRow<Simd512, Vector512<float>>(k, a, panels, c, add);
        else MultiplyRow<SimdVectorT, Vector<float>>(k, a, panels, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyRow<TSimd, TVector>(nint k, float* a, float* panels, float* c, float* add)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        nint width = 2 * TSimd.Count;
        float* p0 = panels;
        float* p1 = p0 + k * width;
        float* p2 = p1 + k * width;
        float* p3 = p2 + k * width;
        for (nint first = 0; first < k; first += Depth, add = c)
        {
            TVector zero = TSimd.Broadcast(0);
            TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero;
            for (nint l = first, end = Math.Min(k, first + Depth); l < end; l++)
            {
                TVector x = TSimd.Broadcast(a[l]);
                c0 = TSimd.MultiplyAdd(x, TSimd.Load(p0), c0);
                c1 = TSimd.MultiplyAdd(x, TSimd.Load(p0 + TSimd.Count), c1);
                c2 = TSimd.MultiplyAdd(x, TSimd.Load(p1), c2);
                c3 = TSimd.MultiplyAdd(x, TSimd.Load(p1 + TSimd.Count), c3);
                c4 = TSimd.MultiplyAdd(x, TSimd.Load(p2), c4);
                c5 = TSimd.MultiplyAdd(x, TSimd.Load(p2 + TSimd.Count), c5);
                c6 = TSimd.MultiplyAdd(x, TSimd.Load(p3), c6);
                c7 = TSimd.MultiplyAdd(x, TSimd.Load(p3 + TSimd.Count), c7);
                p0 += width;
                p1 += width;
                p2 += width;
                p3 += width;
            }

            AllLanes<TSimd, TVector> all = default;
            Put<TSimd, TVector, AllLanes<TSimd, TVector>>(all, c0, c1, c, add);
            Put<TSimd, TVector, AllLanes<TSimd, TVector>>(all, c2, c3, c + width, Down(add, width));
            Put<TSimd, TVector, AllLanes<TSimd, TVector>>(all, c4, c5, c + 2 * width, Down(add, 2 * width));
            Put<TSimd, TVector, AllLanes<TSimd, TVector>>(all, c6, c7, c + 3 * width, Down(add, 3 * width));
        }
    }
}
