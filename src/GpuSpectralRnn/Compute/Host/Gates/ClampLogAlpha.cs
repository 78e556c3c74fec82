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
        where TLanes : struct, ILanes<TVector>
    {
        (TVector low, TVector high) = (TSimd.Broadcast(HardConcrete.Lowest), TSimd.Broadcast(HardConcrete.Highest));
        TVector x = lanes.Load(logAlpha + index);
        x = TSimd.WhereLess(x, low, low, x);
        lanes.Store(TSimd.WhereLess(high, x, high, x), logAlpha + index);
    }
}
