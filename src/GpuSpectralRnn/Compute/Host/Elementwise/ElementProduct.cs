using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>y = a b; y may be a or b.</summary>
internal readonly unsafe struct ElementProduct(float* a, float* b, float* y) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Multiply(lanes.Load(a + index), lanes.Load(b + index)), y + index);
}

/// <summary>aGradient = d b and bGradient = d a, those that are wanted; they may be what is read.</summary>
internal readonly unsafe struct ElementProductBackward(float* a, float* b, float* d, float* aGradient, float* bGradient) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        (TVector left, TVector right, TVector slope) = (lanes.Load(a + index), lanes.Load(b + index), lanes.Load(d + index));
        if (aGradient != null) lanes.Store(TSimd.Multiply(slope, right), aGradient + index);
        if (bGradient != null) lanes.Store(TSimd.Multiply(slope, left), bGradient + index);
    }
}

/// <summary>y += alpha x; x may be y.</summary>
internal readonly unsafe struct AddScaled(float alpha, float* x, float* y) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> =>
        lanes.Store(TSimd.MultiplyAdd(TSimd.Broadcast(alpha), lanes.Load(x + index), lanes.Load(y + index)), y + index);
}

/// <summary>y += number.</summary>
internal readonly unsafe struct AddNumber(float number, float* y) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Add(lanes.Load(y + index), TSimd.Broadcast(number)), y + index);
}
