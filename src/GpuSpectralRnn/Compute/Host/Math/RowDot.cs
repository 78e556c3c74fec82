using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>The inner product of two rows.</summary>
internal static unsafe class RowDot
{
    /// <summary>sum_i a[i] b[i]: the lanes' sums in single precision, put together in double.</summary>
    public static float Run(float* a, float* b, nint count)
    {
        if (Simd.IsWide) return Run<Simd512, Vector512<float>, FirstLanes512>(a, b, count, new FirstLanes512((int)(count % Simd512.Count)));
        return Run<SimdVectorT, Vector<float>, FirstLanesAny>(a, b, count, new FirstLanesAny((int)(count % SimdVectorT.Count)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run<TSimd, TVector, TLanes>(float* a, float* b, nint count, TLanes rest)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector first = TSimd.Broadcast(0), second = first;
        nint i = 0;
        for (; i + 2 * TSimd.Count <= count; i += 2 * TSimd.Count)
        {
            first = TSimd.MultiplyAdd(TSimd.Load(a + i), TSimd.Load(b + i), first);
            second = TSimd.MultiplyAdd(TSimd.Load(a + i + TSimd.Count), TSimd.Load(b + i + TSimd.Count), second);
        }

        for (; i + TSimd.Count <= count; i += TSimd.Count) first = TSimd.MultiplyAdd(TSimd.Load(a + i), TSimd.Load(b + i), first);
        if (i < count) second = TSimd.MultiplyAdd(rest.Load(a + i), rest.Load(b + i), second);
        return (float)TSimd.Sum(TSimd.Add(first, second));
    }
}
