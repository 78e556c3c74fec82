using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>y = s max(g, 0) + (1 - s) x with s = sigmoid(t); y may be what is read.</summary>
internal readonly unsafe struct HighwayOutput(float* t, float* g, float* x, float* y) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector share = SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(t + index));
        TVector candidate = Relu.Apply<TSimd, TVector>(lanes.Load(g + index));
        TVector rest = TSimd.Subtract(TSimd.Broadcast(1), share);
        lanes.Store(TSimd.MultiplyAdd(share, candidate, TSimd.Multiply(rest, lanes.Load(x + index))), y + index);
    }
}

/// <summary>
/// tGradient = d (max(g, 0) - x) s (1 - s), gGradient = d s where g is above 0, xGradient = d (1 - s), where wanted; they may be what is read. Numbers
/// below <see cref="Simd.Tiny"/> become zero.
/// </summary>
internal readonly unsafe struct HighwayGradients(float* t, float* g, float* x, float* d, float* tGradient, float* gGradient, float* xGradient)
    : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector share = SimdMath.Sigmoid<TSimd, TVector>(lanes.Load(t + index));
        TVector candidate = Relu.Apply<TSimd, TVector>(lanes.Load(g + index));
        TVector rest = TSimd.Subtract(TSimd.Broadcast(1), share);
        TVector difference = TSimd.Subtract(candidate, lanes.Load(x + index));
        TVector slope = lanes.Load(d + index);
        TVector let = TSimd.Multiply(slope, share);
        lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(TSimd.Multiply(let, rest), difference)), tGradient + index);
        lanes.Store(SimdMath.Flush<TSimd, TVector>(Relu.Back<TSimd, TVector>(candidate, let)), gGradient + index);
        if (xGradient != null) lanes.Store(SimdMath.Flush<TSimd, TVector>(TSimd.Multiply(slope, rest)), xGradient + index);
    }
}
