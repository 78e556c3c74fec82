using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>sum += term.</summary>
internal readonly unsafe struct AddTo(float* sum, float* term) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector>(nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged => TSimd.Store(TSimd.Add(TSimd.Load(sum + index), TSimd.Load(term + index)), sum + index);
}
