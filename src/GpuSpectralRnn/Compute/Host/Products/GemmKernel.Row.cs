using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <content>A single row times several panels at a time: the sums of one panel would wait for their multiply-adds.</content>
internal static unsafe partial class GemmKernel
{
    /// <summary>Panels that <see cref="MultiplyRow"/> takes at most.</summary>
    public static int RowPanels => PanelVectors == 3 ? 3 : 4;

    /// <summary>
    /// c [columns] = a P + add for a row a [k] and up to <see cref="RowPanels"/> panels of all k rows, one behind the other; add may be null. The same
    /// additions in the same order as those of <see cref="Multiply"/> in steps of <see cref="Depth"/>.
    /// </summary>
    [SkipLocalsInit]
    public static void MultiplyRow(nint k, float* a, float* panels, nint columns, float* c, float* add)
    {
        nint width = PanelWidth;
        float* sums = stackalloc float[2 * RowPanels * PanelWidth]; // of a panel that is not whole, and of none; behind them what is added
        float* addends = sums + RowPanels * width;
        RowPanel* slots = stackalloc RowPanel[RowPanels];
        nint whole = columns / width * width;
        for (nint at = 0; at < RowPanels * width; at += width)
        {
            // In the place of a missing panel the first once more, to no purpose.
            bool isWhole = at < whole;
            float* extra = add == null ? null : (isWhole ? add : addends) + at;
            slots[at / width] = new RowPanel(panels + (at < columns ? at * k : 0), (isWhole ? c : sums) + at, extra);
        }

        int rest = (int)(columns - whole);
        if (rest > 0 && add != null) new ReadOnlySpan<float>(add + whole, rest).CopyTo(new Span<float>(addends + whole, rest));
        if (Simd.IsWide) FourPanels<Simd512, Vector512<float>>(k, a, slots);
        else ThreePanels<SimdVectorT, Vector<float>>(k, a, slots);
        if (rest > 0) new ReadOnlySpan<float>(sums + whole, rest).CopyTo(new Span<float>(c + whole, rest));
    }

    // Of two vectors.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourPanels<TSimd, TVector>(nint k, float* a, RowPanel* panels)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
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
                p0 += PanelWidth;
                p1 += PanelWidth;
                p2 += PanelWidth;
                p3 += PanelWidth;
            }

            bool isFirst = first == 0;
            Put<TSimd, TVector>(panels[0], isFirst, c0, c1);
            Put<TSimd, TVector>(panels[1], isFirst, c2, c3);
            Put<TSimd, TVector>(panels[2], isFirst, c4, c5);
            Put<TSimd, TVector>(panels[3], isFirst, c6, c7);
        }
    }

    // Of three vectors.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreePanels<TSimd, TVector>(nint k, float* a, RowPanel* panels)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        float* p0 = panels[0].Values;
        float* p1 = panels[1].Values;
        float* p2 = panels[2].Values;
        for (nint first = 0; first < k; first += Depth)
        {
            TVector zero = TSimd.Broadcast(0);
            TVector c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero;
            for (nint l = first, end = Math.Min(k, first + Depth); l < end; l++)
            {
                TVector x = TSimd.Broadcast(a[l]);
                c0 = TSimd.MultiplyAdd(x, TSimd.Load(p0), c0);
                c1 = TSimd.MultiplyAdd(x, TSimd.Load(p0 + TSimd.Count), c1);
                c2 = TSimd.MultiplyAdd(x, TSimd.Load(p0 + 2 * TSimd.Count), c2);
                c3 = TSimd.MultiplyAdd(x, TSimd.Load(p1), c3);
                c4 = TSimd.MultiplyAdd(x, TSimd.Load(p1 + TSimd.Count), c4);
                c5 = TSimd.MultiplyAdd(x, TSimd.Load(p1 + 2 * TSimd.Count), c5);
                c6 = TSimd.MultiplyAdd(x, TSimd.Load(p2), c6);
                c7 = TSimd.MultiplyAdd(x, TSimd.Load(p2 + TSimd.Count), c7);
                c8 = TSimd.MultiplyAdd(x, TSimd.Load(p2 + 2 * TSimd.Count), c8);
                p0 += PanelWidth;
                p1 += PanelWidth;
                p2 += PanelWidth;
            }

            bool isFirst = first == 0;
            Put<TSimd, TVector>(panels[0], isFirst, c0, c1, c2);
            Put<TSimd, TVector>(panels[1], isFirst, c3, c4, c5);
            Put<TSimd, TVector>(panels[2], isFirst, c6, c7, c8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVector>(RowPanel panel, bool isFirst, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged =>
        Put<TSimd, TVector, AllLanes<TSimd, TVector>>(default, first, second, panel.C, isFirst ? panel.Add : panel.C);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TSimd, TVector>(RowPanel panel, bool isFirst, TVector first, TVector second, TVector third)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged =>
        Put<TSimd, TVector, AllLanes<TSimd, TVector>>(default, first, second, third, panel.C, isFirst ? panel.Add : panel.C);

    // A panel, where its sums go, and what is added to them, or null.
    private readonly struct RowPanel(float* values, float* c, float* add)
    {
        public readonly float* Values = values;
        public readonly float* C = c;
        public readonly float* Add = add;
    }
}
