using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>The inner product of two rows.</summary>
internal static unsafe class RowDot
{
    /// <summary>sum_i a[i] b[i]: the lanes' sums in single precision, put together in double.</summary>
    public static float Run(float* a, float* b, nint count) =>
        Simd.IsWide ? Run<Simd512, Vector512<float>>(a, b, count) : Run<SimdVectorT, Vector<float>>(a, b, count);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run<TSimd, TVector>(float* a, float* b, nint count)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector first = TSimd.Broadcast(0), second = first;
        nint i = 0;
        for (; i + 2 * TSimd.Count <= count; i += 2 * TSimd.Count)
        {
            first = TSimd.MultiplyAdd(TSimd.Load(a + i), TSimd.Load(b + i), first);
            second = TSimd.MultiplyAdd(TSimd.Load(a + i + TSimd.Count), TSimd.Load(b + i + TSimd.Count), second);
        }

        double sum = TSimd.Sum(TSimd.Add(first, second));
        for (; i < count; i++) sum += (double)a[i] * b[i];
        return (float)sum;
    }
}
