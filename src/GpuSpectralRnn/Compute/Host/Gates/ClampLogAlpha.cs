using System.Runtime.CompilerServices;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Log alpha kept within log 1e-2..log 1e2; NaN stays NaN.</summary>
internal readonly unsafe struct ClampLogAlpha(float* logAlpha) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> =>
        lanes.Store(SimdMath.Clamp<TSimd, TVector>(lanes.Load(logAlpha + index), HardConcrete.Lowest, HardConcrete.Highest), logAlpha + index);
}
