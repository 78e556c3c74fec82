using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Which lanes of a vector are valid: all, or the first few at the end of a row.</summary>
/// <typeparam name="TVector">The vector's type.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : unmanaged
{
    /// <summary>Reads the valid lanes; the others are zero.</summary>
    TVector Load(float* source);

    /// <summary>Writes the valid lanes.</summary>
    void Store(TVector value, float* destination);
}

/// <summary>The whole vector.</summary>
internal readonly unsafe struct AllLanes<TSimd, TVector> : ILanes<TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Load(float* source) => TSimd.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(TVector value, float* destination) => TSimd.Store(value, destination);
}

/// <summary>The first <paramref name="count"/> of 512 bits, by the processor's masks.</summary>
internal readonly unsafe struct FirstLanes512(int count) : ILanes<Vector512<float>>
{
    private readonly Vector512<float> mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Load(float* source) => Avx512F.MaskLoad(source, mask, Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Vector512<float> value, float* destination) => Avx512F.MaskStore(destination, mask, value);
}

/// <summary>The first <paramref name="count"/> of <see cref="Vector{T}"/>, one by one.</summary>
internal readonly unsafe struct FirstLanesAny(int count) : ILanes<Vector<float>>
{
    public Vector<float> Load(float* source)
    {
        Vector<float> value = Vector<float>.Zero;
        for (int i = 0; i < count; i++) ((float*)&value)[i] = source[i];
        return value;
    }

    public void Store(Vector<float> value, float* destination)
    {
        for (int i = 0; i < count; i++) destination[i] = ((float*)&value)[i];
    }
}
