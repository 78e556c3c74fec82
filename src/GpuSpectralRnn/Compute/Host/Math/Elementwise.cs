using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What an elementwise operation does to the elements of one vector.</summary>
internal interface IElementwise
{
    /// <summary>Handles the elements from <paramref name="index"/> on, one vector of them, through <paramref name="lanes"/>.</summary>
    void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>;
}

/// <summary>Runs elementwise operations over ranges of any length: whole vectors, then one of fewer lanes.</summary>
internal static class Elementwise
{
    /// <summary>Runs over 0..count on all threads.</summary>
    public static void Run<TBody>(HostParallel threads, long count, TBody body)
        where TBody : struct, IElementwise => threads.Split(count, unit: 1024, work: count, (_, from, to) => Run(body, (nint)from, (nint)to));

    // Not inlined either: what a caller cannot take whole would be called for every vector, for the first seconds in code that is not optimised.

    /// <summary>Runs over from..to on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run<TBody>(TBody body, nint from, nint to)
        where TBody : struct, IElementwise
    {
        if (Simd.IsWide)
        {
            AllLanes<Simd512, Vector512<float>> all = default;
            for (; from + Simd512.Count <= to; from += Simd512.Count)
                body.Step<Simd512, Vector512<float>, AllLanes<Simd512, Vector512<float>>>(all, from);
            if (from < to) Rest<TBody, Simd512, Vector512<float>, FirstLanes512>(body, new FirstLanes512((int)(to - from)), from);
        }
        else
        {
            AllLanes<SimdVectorT, Vector<float>> all = default;
            for (; from + SimdVectorT.Count <= to; from += SimdVectorT.Count)
                body.Step<SimdVectorT, Vector<float>, AllLanes<SimdVectorT, Vector<float>>>(all, from);
            if (from < to) Rest<TBody, SimdVectorT, Vector<float>, FirstLanesAny>(body, new FirstLanesAny((int)(to - from)), from);
        }
    }

    // A method of its own: the compiler inlines so much into one and no more, and what it leaves out of the loop above costs more than all of this.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Rest<TBody, TSimd, TVector, TLanes>(TBody body, TLanes lanes, nint from)
        where TBody : struct, IElementwise
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => body.Step<TSimd, TVector, TLanes>(lanes, from);
}

/// <summary>sum += term.</summary>
internal readonly unsafe struct AddTo(float* sum, float* term) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Add(lanes.Load(sum + index), lanes.Load(term + index)), sum + index);
}

/// <summary>x = factor x.</summary>
internal readonly unsafe struct Scale(float* x, float factor) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TSimd, TVector, TLanes>(TLanes lanes, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector> => lanes.Store(TSimd.Multiply(lanes.Load(x + index), TSimd.Broadcast(factor)), x + index);
}
