using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Exponential, hyperbolic tangent and logistic sigmoid. The polynomials are minimax fits made for this file; the errors given are against double
/// precision over the whole range, and tested. NaN stays NaN.
/// </summary>
internal static class SimdMath
{
    // Where e^x leaves the normal numbers of single precision.
    private const float Lowest = -87.3f;
    private const float Highest = 88f;

    // Where tanh x is 1 in single precision: 2 x.
    private const float Saturated = 20f;

    /// <summary>e^x, relative error below 2e-7. Below -87.3, where single precision ends, it is 0; above 88 it is e^88.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector above = Power<TSimd, TVector>(Clamp<TSimd, TVector>(x, Lowest, Highest), out TVector scale);
        return TSimd.WhereLess(x, TSimd.Broadcast(Lowest), TSimd.Broadcast(0), TSimd.MultiplyAdd(scale, above, scale));
    }

    /// <summary>tanh x = (e^2x - 1) / (e^2x + 1), relative error below 3e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector above = Power<TSimd, TVector>(Clamp<TSimd, TVector>(TSimd.Add(x, x), -Saturated, Saturated), out TVector scale);
        above = TSimd.MultiplyAdd(scale, above, TSimd.Subtract(scale, TSimd.Broadcast(1))); // e^2x - 1, in which near 0 nothing cancels
        return TSimd.Divide(above, TSimd.Add(above, TSimd.Broadcast(2)));
    }

    /// <summary>1 / (1 + e^-x), relative error below 3e-7; zero where it is below <see cref="Simd.Tiny"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector one = TSimd.Broadcast(1);
        TVector minus = TSimd.Subtract(TSimd.Broadcast(0), x);
        TVector above = Power<TSimd, TVector>(Clamp<TSimd, TVector>(minus, Lowest, Highest), out TVector scale);
        TVector value = TSimd.Divide(one, TSimd.MultiplyAdd(scale, above, TSimd.Add(scale, one)));
        return TSimd.WhereLess(value, TSimd.Broadcast(Simd.Tiny), TSimd.Broadcast(0), value); // never negative
    }

    /// <summary>x, or the limit beyond which it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Clamp<TSimd, TVector>(TVector x, float low, float high)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.AtLeast(TSimd.Broadcast(low), TSimd.AtMost(TSimd.Broadcast(high), x));

    /// <summary>x, or zero where |x| is below <see cref="Simd.Tiny"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Flush<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.WhereLess(TSimd.Abs(x), TSimd.Broadcast(Simd.Tiny), TSimd.Broadcast(0), x);

    // e^x = scale (1 + the result), for x of Lowest..Highest; NaN stays NaN. Scale is a power of two, 1 near 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Power<TSimd, TVector>(TVector x, out TVector scale)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        // x = n ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts, the first short enough for exact products
        TVector rounder = TSimd.Broadcast(Simd.Rounder);
        TVector shifted = TSimd.MultiplyAdd(x, TSimd.Broadcast(1.44269504f), rounder);
        TVector n = TSimd.Subtract(shifted, rounder);
        TVector r = TSimd.MultiplyAdd(n, TSimd.Broadcast(-0.693359375f), x);
        r = TSimd.MultiplyAdd(n, TSimd.Broadcast(2.12194440e-4f), r);

        // e^r = 1 + r + r^2 P(r)
        TVector p = TSimd.MultiplyAdd(r, TSimd.Broadcast(0.00138146128f), TSimd.Broadcast(0.00836871006f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(0.041668389f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(0.166665211f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Broadcast(0.49999994f));
        scale = TSimd.PowerOfTwo(shifted);
        return TSimd.MultiplyAdd(p, TSimd.Multiply(r, r), r);
    }
}
