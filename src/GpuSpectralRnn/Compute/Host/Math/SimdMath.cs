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

    /// <summary>e^x, relative error below 2e-7. Below -87.3, where single precision ends, it is 0; above 88 it is e^88.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector low = TSimd.Broadcast(Lowest);
        TVector value = Power<TSimd, TVector>(NotBelow<TSimd, TVector>(NotAbove<TSimd, TVector>(x)));
        return TSimd.WhereLess(x, low, TSimd.Broadcast(0), value);
    }

    /// <summary>tanh x, relative error below 3e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        // near 0: x + x^3 P(x^2), where 1 - 2 / (e^2x + 1) would cancel
        TVector square = TSimd.Multiply(x, x);
        TVector p = TSimd.MultiplyAdd(square, TSimd.Broadcast(-0.00571704f), TSimd.Broadcast(0.02065059f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(-0.0537435f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(0.13331491f));
        p = TSimd.MultiplyAdd(p, square, TSimd.Broadcast(-0.33333284f));
        TVector near = TSimd.MultiplyAdd(TSimd.Multiply(p, square), x, x);

        TVector one = TSimd.Broadcast(1);
        TVector size = TSimd.Abs(x);
        TVector exponential = Power<TSimd, TVector>(NotAbove<TSimd, TVector>(TSimd.Add(size, size)));
        TVector far = TSimd.Subtract(one, TSimd.Divide(TSimd.Broadcast(2), TSimd.Add(exponential, one)));
        far = TSimd.WhereLess(x, TSimd.Broadcast(0), TSimd.Subtract(TSimd.Broadcast(0), far), far);
        return TSimd.WhereLess(size, TSimd.Broadcast(0.625f), near, far);
    }

    /// <summary>1 / (1 + e^-x), relative error below 3e-7; zero where it is below <see cref="Simd.Tiny"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
    {
        TVector one = TSimd.Broadcast(1);
        TVector minus = TSimd.Subtract(TSimd.Broadcast(0), x);
        TVector exponential = Power<TSimd, TVector>(NotBelow<TSimd, TVector>(NotAbove<TSimd, TVector>(minus)));
        return Flush<TSimd, TVector>(TSimd.Divide(one, TSimd.Add(one, exponential)));
    }

    /// <summary>x, or zero where |x| is below <see cref="Simd.Tiny"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Flush<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.WhereLess(TSimd.Abs(x), TSimd.Broadcast(Simd.Tiny), TSimd.Broadcast(0), x);

    // e^x of Lowest..Highest; NaN stays NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Power<TSimd, TVector>(TVector x)
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
        p = TSimd.MultiplyAdd(p, TSimd.Multiply(r, r), r);
        return TSimd.Multiply(TSimd.Add(p, TSimd.Broadcast(1)), TSimd.PowerOfTwo(shifted));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector NotAbove<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.WhereLess(TSimd.Broadcast(Highest), x, TSimd.Broadcast(Highest), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector NotBelow<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.WhereLess(x, TSimd.Broadcast(Lowest), TSimd.Broadcast(Lowest), x);
}
