using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>x = factor x.</summary>
internal readonly unsafe struct Scale(float* x, float factor) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector>(nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.Store(TSimd.Multiply(TSimd.Load(x + index), TSimd.Broadcast(factor)), x + index);
}
