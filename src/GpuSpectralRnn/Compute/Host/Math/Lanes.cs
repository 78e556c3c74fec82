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

/// <summary>The first <paramref name="count"/> of <see cref="Vector{T}"/>: of 256 bits by a mask and in halves, else one by one.</summary>
internal readonly unsafe struct FirstLanesAny(int count) : ILanes<Vector<float>>
{
    private readonly int count = count;
    private readonly Vector<float> mask = Vector.AsVectorSingle(Vector.LessThan(Vector<int>.Indices, new Vector<int>(count)));

    private static bool HasMasks
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Avx.IsSupported && Vector<float>.Count == Vector256<float>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Load(float* source) => HasMasks ? Avx.MaskLoad(source, mask.AsVector256()).AsVector() : LoadEach(source);

    // Stores by a mask take an AMD processor tens of cycles.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Vector<float> value, float* destination)
    {
        if (!HasMasks)
        {
            StoreEach(value, destination);
            return;
        }

        if (count == Vector<float>.Count)
        {
            value.Store(destination);
            return;
        }

        Vector128<float> rest = value.AsVector256().GetLower();
        if ((count & 4) != 0)
        {
            rest.Store(destination);
            rest = value.AsVector256().GetUpper();
            destination += 4;
        }

        if ((count & 2) != 0)
        {
            rest.GetLower().Store(destination);
            rest = Sse.MoveHighToLow(rest, rest);
            destination += 2;
        }

        if ((count & 1) != 0) *destination = rest.ToScalar();
    }

    private Vector<float> LoadEach(float* source)
    {
        Vector<float> value = Vector<float>.Zero;
        for (int i = 0; i < count; i++) ((float*)&value)[i] = source[i];
        return value;
    }

    private void StoreEach(Vector<float> value, float* destination)
    {
        for (int i = 0; i < count; i++) destination[i] = ((float*)&value)[i];
    }
}
