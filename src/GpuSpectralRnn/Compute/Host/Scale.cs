using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>x = factor x.</summary>
internal readonly unsafe struct Scale(float* x, float factor) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Multiply(lanes.Load(x + index), TSimd.Broadcast(factor)), x + index);
}
