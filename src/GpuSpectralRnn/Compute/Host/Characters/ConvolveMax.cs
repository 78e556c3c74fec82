using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The maxima of one word, a filter a lane; four neighbouring places share the filters' weights. Characters beyond the word count as zeros.
/// </summary>
internal readonly unsafe struct ConvolveMax(
    ConvolutionShape s,
    float* x, // [W, N, E] from this word's first number on
    int length,
    float* transposed, // [K E, F]
    float* bias, // [F]
    float* y, // [F]
    int* places) // [F]
    : IElementwise
{
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector start = lanes.Load(bias + index), best = TSimd.Broadcast(0), place = TSimd.Broadcast(-1);
        long step = (long)s.Words * s.Extent;
        for (int p = 0; p < length; p += 4)
        {
            TVector first = start, second = start, third = start, fourth = start;
            for (int k = 0; k < s.Width && p + k < length; k++)
            {
                float* at = x + (p + k) * step;
                float* weights = transposed + (long)k * s.Extent * s.Filters + index;
                int left = length - p - k;
                for (int e = 0; e < s.Extent; e++, weights += s.Filters)
                {
                    TVector weight = lanes.Load(weights);
                    first = TSimd.MultiplyAdd(weight, TSimd.Broadcast(at[e]), first);
                    if (left > 1) second = TSimd.MultiplyAdd(weight, TSimd.Broadcast(at[step + e]), second);
                    if (left > 2) third = TSimd.MultiplyAdd(weight, TSimd.Broadcast(at[2 * step + e]), third);
                    if (left > 3) fourth = TSimd.MultiplyAdd(weight, TSimd.Broadcast(at[3 * step + e]), fourth);
                }
            }

            if (p == 0) (best, place) = (first, TSimd.Broadcast(0));
            else Take<TSimd, TVector>(first, p, ref best, ref place);
            if (p + 1 < length) Take<TSimd, TVector>(second, p + 1, ref best, ref place);
            if (p + 2 < length) Take<TSimd, TVector>(third, p + 2, ref best, ref place);
            if (p + 3 < length) Take<TSimd, TVector>(fourth, p + 3, ref best, ref place);
        }

        lanes.Store(best, y + index);
        nint count = Math.Min(TSimd.Count, s.Filters - index);
        for (nint i = 0; i < count; i++) places[index + i] = (int)((float*)&place)[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take<TSimd, TVector>(TVector value, int at, ref TVector best, ref TVector place)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        place = TSimd.WhereLess(best, value, TSimd.Broadcast(at), place);
        best = TSimd.WhereLess(best, value, value, best);
    }
}
