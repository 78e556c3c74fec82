using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Single-precision vectors of one width, as kernels see them. A kernel is written once over <c>TSimd, TVector</c>; the runtime compiles it for
/// each width with every member inlined. A lane computes what a scalar would, so neither width nor position changes the bits of a result.
/// </summary>
/// <typeparam name="TVector">The vector's type.</typeparam>
internal unsafe interface ISimd<TVector>
    where TVector : unmanaged
{
    /// <summary>Numbers in one vector.</summary>
    static abstract int Count { get; }

    /// <summary>Reads a vector.</summary>
    static abstract TVector Load(float* source);

    /// <summary>Writes a vector.</summary>
    static abstract void Store(TVector value, float* destination);

    /// <summary>The number in every lane.</summary>
    static abstract TVector Broadcast(float value);

    /// <summary>a + b.</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a - b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>a b.</summary>
    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>a / b.</summary>
    static abstract TVector Divide(TVector a, TVector b);

    /// <summary>a b + c, rounded once where the processor can.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>Square root.</summary>
    static abstract TVector Sqrt(TVector a);

    /// <summary>|a|.</summary>
    static abstract TVector Abs(TVector a);

    /// <summary>The smaller of a limit and a; NaN where a is.</summary>
    static abstract TVector AtMost(TVector limit, TVector a);

    /// <summary>The larger of a limit and a; NaN where a is.</summary>
    static abstract TVector AtLeast(TVector limit, TVector a);

    /// <summary>a &lt; b ? yes : no; <paramref name="no"/> where a or b is NaN.</summary>
    static abstract TVector WhereLess(TVector a, TVector b, TVector yes, TVector no);

    /// <summary>2^n of an integer n of -126..127 that is given as n + <see cref="Simd.Rounder"/>.</summary>
    static abstract TVector PowerOfTwo(TVector shifted);

    /// <summary>The larger of the lanes (NaN where one is).</summary>
    static abstract float Largest(TVector a);

    /// <summary>The sum of the lanes, in double precision.</summary>
    static abstract double Sum(TVector a);
}

/// <summary>Constants common to all widths.</summary>
internal static class Simd
{
    /// <summary>1.5 2^23: added to a number below 2^22 in size, it rounds it to an integer, which the low bits then hold.</summary>
    public const float Rounder = 12582912f;

    /// <summary>Magnitudes below this are flushed to zero where they would decay into denormals, which are slow.</summary>
    public const float Tiny = 1e-30f;

    /// <summary>Whether kernels run on 512 bits; else on the widest of <see cref="Vector{T}"/>.</summary>
    public static bool IsWide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.IsHardwareAccelerated;
    }
}

/// <summary>512 bits.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sqrt(Vector512<float> a) => Vector512.Sqrt(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Abs(Vector512<float> a) => Vector512.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AtMost(Vector512<float> limit, Vector512<float> a) => Vector512.MinNative(limit, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AtLeast(Vector512<float> limit, Vector512<float> a) => Vector512.MaxNative(limit, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WhereLess(Vector512<float> a, Vector512<float> b, Vector512<float> yes, Vector512<float> no) =>
        Vector512.ConditionalSelect(Vector512.LessThan(a, b), yes, no);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> PowerOfTwo(Vector512<float> shifted) =>
        Vector512.ShiftLeft(shifted.AsInt32() + Vector512.Create(127), 23).AsSingle();

    public static float Largest(Vector512<float> a)
    {
        float largest = a[0];
        for (int i = 1; i < 16; i++) largest = MathF.Max(largest, a[i]);
        return largest;
    }

    public static double Sum(Vector512<float> a)
    {
        (Vector512<double> low, Vector512<double> high) = Vector512.Widen(a);
        return Vector512.Sum(low + high);
    }
}

/// <summary>The widest of <see cref="Vector{T}"/>: 256 bits with AVX2, 128 with SSE or NEON.</summary>
internal readonly unsafe struct SimdVectorT : ISimd<Vector<float>>
{
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector<float>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Load(float* source) => Vector.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector<float> value, float* destination) => Vector.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> a, Vector<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Subtract(Vector<float> a, Vector<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Multiply(Vector<float> a, Vector<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Divide(Vector<float> a, Vector<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> MultiplyAdd(Vector<float> a, Vector<float> b, Vector<float> c) => Vector.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Sqrt(Vector<float> a) => Vector.SquareRoot(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Abs(Vector<float> a) => Vector.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> AtMost(Vector<float> limit, Vector<float> a) => Vector.MinNative(limit, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> AtLeast(Vector<float> limit, Vector<float> a) => Vector.MaxNative(limit, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> WhereLess(Vector<float> a, Vector<float> b, Vector<float> yes, Vector<float> no) =>
        Vector.ConditionalSelect(Vector.LessThan(a, b), yes, no);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> PowerOfTwo(Vector<float> shifted) =>
        Vector.AsVectorSingle(Vector.ShiftLeft(Vector.AsVectorInt32(shifted) + new Vector<int>(127), 23));

    public static float Largest(Vector<float> a)
    {
        float largest = a[0];
        for (int i = 1; i < Vector<float>.Count; i++) largest = MathF.Max(largest, a[i]);
        return largest;
    }

    public static double Sum(Vector<float> a)
    {
        Vector.Widen(a, out Vector<double> low, out Vector<double> high);
        return Vector.Sum(low + high);
    }
}

/// <summary>One number: the ends of rows that no vector fits.</summary>
internal readonly unsafe struct SimdOne : ISimd<float>
{
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, float* destination) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Subtract(float a, float b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Multiply(float a, float b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Divide(float a, float b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MultiplyAdd(float a, float b, float c) => float.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sqrt(float a) => MathF.Sqrt(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Abs(float a) => MathF.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float AtMost(float limit, float a) => float.MinNative(limit, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float AtLeast(float limit, float a) => float.MaxNative(limit, a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float WhereLess(float a, float b, float yes, float no) => a < b ? yes : no;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float PowerOfTwo(float shifted) => BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted) + 127) << 23);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(float a) => a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(float a) => a;
}
