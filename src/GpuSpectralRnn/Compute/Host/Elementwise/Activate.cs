using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>A nonlinearity, with its derivative as a function of the output.</summary>
internal interface INonlinearity
{
    /// <summary>f(x).</summary>
    static abstract TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged;

    /// <summary>d f'(x), given y = f(x).</summary>
    static abstract TVector Back<TSimd, TVector>(TVector y, TVector d)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged;
}

/// <summary>y = f(x); y may be x.</summary>
internal readonly unsafe struct Activate<TNonlinearity>(float* x, float* y) : IElementwise
    where TNonlinearity : struct, INonlinearity
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TNonlinearity.Apply<TSimd, TVector>(lanes.Load(x + index)), y + index);
}

/// <summary>inputGradient = d f'(x), from y = f(x); it may be what is read. Numbers below <see cref="Simd.Tiny"/> become zero.</summary>
internal readonly unsafe struct ActivateBackward<TNonlinearity>(float* y, float* d, float* inputGradient) : IElementwise
    where TNonlinearity : struct, INonlinearity
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector gradient = TNonlinearity.Back<TSimd, TVector>(lanes.Load(y + index), lanes.Load(d + index));
        lanes.Store(SimdMath.Flush<TSimd, TVector>(gradient), inputGradient + index);
    }
}

/// <summary>max(x, 0); NaN stays NaN.</summary>
internal readonly struct Relu : INonlinearity
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.WhereLess(x, TSimd.Broadcast(0), TSimd.Broadcast(0), x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Back<TSimd, TVector>(TVector y, TVector d)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.WhereLess(TSimd.Broadcast(0), y, d, TSimd.Broadcast(0));
}

/// <summary>The hyperbolic tangent.</summary>
internal readonly struct HyperbolicTangent : INonlinearity
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => SimdMath.Tanh<TSimd, TVector>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Back<TSimd, TVector>(TVector y, TVector d)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.Multiply(d, TSimd.Subtract(TSimd.Broadcast(1), TSimd.Multiply(y, y)));
}

/// <summary>The logistic function.</summary>
internal readonly struct Logistic : INonlinearity
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Apply<TSimd, TVector>(TVector x)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => SimdMath.Sigmoid<TSimd, TVector>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Back<TSimd, TVector>(TVector y, TVector d)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.Multiply(d, TSimd.Multiply(y, TSimd.Subtract(TSimd.Broadcast(1), y)));
}
