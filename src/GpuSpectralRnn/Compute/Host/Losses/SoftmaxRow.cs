using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>One row of logits.</summary>
internal static unsafe class SoftmaxRow
{
    /// <summary>The largest of <paramref name="count"/> numbers; NaN is passed over, and shows in <see cref="SumOfExponentials"/>.</summary>
    public static float Largest(float* row, nint count) =>
        Simd.IsWide ? Largest<Simd512, Vector512<float>>(row, count) : Largest<SimdVectorT, Vector<float>>(row, count);

    /// <summary>The sum of e^(x - largest); writes the terms where <paramref name="terms"/> is not null. terms may be row.</summary>
    public static double SumOfExponentials(float* row, nint count, float largest, float* terms) =>
        Simd.IsWide ? Sum<Simd512, Vector512<float>>(row, count, largest, terms) : Sum<SimdVectorT, Vector<float>>(row, count, largest, terms);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest<TSimd, TVector>(float* row, nint count)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector best = TSimd.Broadcast(float.NegativeInfinity);
        nint i = 0;
        for (; i + TSimd.Count <= count; i += TSimd.Count)
        {
            TVector x = TSimd.Load(row + i);
            best = TSimd.WhereLess(best, x, x, best);
        }

        float largest = TSimd.Largest(best);
        for (; i < count; i++) largest = largest < row[i] ? row[i] : largest;
        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum<TSimd, TVector>(float* row, nint count, float largest, float* terms)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        const int Run = 64; // vectors that are summed in single precision before they join the total
        TVector shift = TSimd.Broadcast(largest);
        double sum = 0;
        nint i = 0;
        while (i + TSimd.Count <= count)
        {
            TVector some = TSimd.Broadcast(0);
            for (int left = Run; left > 0 && i + TSimd.Count <= count; left--, i += TSimd.Count)
            {
                TVector term = SimdMath.Exp<TSimd, TVector>(TSimd.Subtract(TSimd.Load(row + i), shift));
                if (terms != null) TSimd.Store(term, terms + i);
                some = TSimd.Add(some, term);
            }

            sum += TSimd.Sum(some);
        }

        for (; i < count; i++)
        {
            float term = SimdMath.Exp<SimdOne, float>(row[i] - largest);
            if (terms != null) terms[i] = term;
            sum += term;
        }

        return sum;
    }
}
