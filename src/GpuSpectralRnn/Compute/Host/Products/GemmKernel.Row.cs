using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <content>A single row times several panels at a time: the two sums of one panel would wait for their multiply-adds.</content>
internal static unsafe partial class GemmKernel
{
    /// <summary>Panels that <see cref="MultiplyRow(nint, float*, RowPanel*)"/> takes.</summary>
    public const int RowPanels = 4;

    /// <summary>
    /// c = a P + add for a row a [k] and <see cref="RowPanels"/> whole panels of all k rows; all have an add, or none. The same additions in the same
    /// order as those of <see cref="Multiply"/> in steps of <see cref="Depth"/>.
    /// </summary>
    public static void MultiplyRow(nint k, float* a, RowPanel* panels)
    {
        if (Simd.IsWide) MultiplyRow<Simd512, Vector512<float>>(k, a, panels);
        else MultiplyRow<SimdVectorT, Vector<float>>(k, a, panels);
    }

    /// <summary>The same for panels, sums and addends that follow each other.</summary>
    [SkipLocalsInit]
    public static void MultiplyRow(nint k, float* a, float* panels, float* c, float* add)
    {
        nint width = PanelWidth;
        RowPanel* four = stackalloc RowPanel[RowPanels];
        for (nint i = 0; i < RowPanels; i++) four[i] = new RowPanel(panels + i * width * k, c + i * width, add == null ? null : add + i * width);
        MultiplyRow(k, a, four);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyRow<TSimd, TVector>(nint k, float* a, RowPanel* panels)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        nint width = 2 * TSimd.Count;
        float* p0 = panels[0].Values;
        float* p1 = panels[1].Values;
        float* p2 = panels[2].Values;
        float* p3 = panels[3].Values;
        for (nint first = 0; first < k; first += Depth)
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

            bool isFirst = first == 0;
            Put<TSimd, TVector>(panels[0], isFirst, c0, c1);
            Put<TSimd, TVector>(panels[1], isFirst, c2, c3);
            Put<TSimd, TVector>(panels[2], isFirst, c4, c5);
            Put<TSimd, TVector>(panels[3], isFirst, c6, c7);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVector>(RowPanel panel, bool isFirst, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged =>
        Put<TSimd, TVector, AllLanes<TSimd, TVector>>(default, first, second, panel.C, isFirst ? panel.Add : panel.C);
}
