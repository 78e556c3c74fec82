using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
    public static void Run<TBody>(HostThreads threads, long count, TBody body)
        where TBody : struct, IElementwise => threads.Split(count, unit: 1024, work: count, (_, from, to) => Run(body, (nint)from, (nint)to));

    /// <summary>Runs over from..to on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TBody>(TBody body, nint from, nint to)
        where TBody : struct, IElementwise
    {
        if (Simd.IsWide)
        {
            AllLanes<Simd512, Vector512<float>> all = default;
            for (; from + Simd512.Count <= to; from += Simd512.Count)
                body.Step<Simd512, Vector512<float>, AllLanes<Simd512, Vector512<float>>>(all, from);
            if (from < to) body.Step<Simd512, Vector512<float>, FirstLanes512>(new FirstLanes512((int)(to - from)), from);
        }
        else
        {
            AllLanes<SimdAny, Vector<float>> all = default;
            for (; from + SimdAny.Count <= to; from += SimdAny.Count)
                body.Step<SimdAny, Vector<float>, AllLanes<SimdAny, Vector<float>>>(all, from);
            if (from < to) body.Step<SimdAny, Vector<float>, FirstLanesAny>(new FirstLanesAny((int)(to - from)), from);
        }
    }
}
