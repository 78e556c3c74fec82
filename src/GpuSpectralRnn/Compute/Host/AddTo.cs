using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>sum += term.</summary>
internal readonly unsafe struct AddTo(float* sum, float* term) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Add(lanes.Load(sum + index), lanes.Load(term + index)), sum + index);
}
