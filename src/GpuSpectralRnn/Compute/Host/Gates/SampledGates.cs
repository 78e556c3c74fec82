using System.Runtime.CompilerServices;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>gradient += d (z - gamma) (zeta - z) / (beta (zeta - gamma)) where 0 &lt; z &lt; 1.</summary>
internal readonly unsafe struct SampledGatesBackward(float* z, float* d, float* gradient) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        TVector zero = TSimd.Broadcast(0);
        TVector gate = lanes.Load(z + index);
        TVector slope = TSimd.Multiply(
            TSimd.Subtract(gate, TSimd.Broadcast(HardConcrete.Gamma)), TSimd.Subtract(TSimd.Broadcast(HardConcrete.Zeta), gate));
        TVector factor = TSimd.Broadcast(1 / (HardConcrete.Beta * (HardConcrete.Zeta - HardConcrete.Gamma)));
        TVector term = TSimd.Multiply(lanes.Load(d + index), TSimd.Multiply(slope, factor));
        term = TSimd.WhereLess(zero, gate, TSimd.WhereLess(gate, TSimd.Broadcast(1), term, zero), zero);
        lanes.Store(TSimd.Add(lanes.Load(gradient + index), term), gradient + index);
    }
}
