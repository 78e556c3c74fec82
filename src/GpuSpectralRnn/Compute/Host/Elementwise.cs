using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>What an elementwise operation does to the elements of one vector.</summary>
internal interface IElementwise
{
    /// <summary>Handles the elements from <paramref name="index"/> on, one vector of them.</summary>
    void Step<TSimd, TVector>(nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged;
}

/// <summary>Runs elementwise operations over ranges of any length: vectors, then single numbers.</summary>
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
            for (; from + Simd512.Count <= to; from += Simd512.Count) body.Step<Simd512, Vector512<float>>(from);
        }

        for (; from + SimdAny.Count <= to; from += SimdAny.Count) body.Step<SimdAny, Vector<float>>(from);
        for (; from < to; from++) body.Step<SimdOne, float>(from);
    }
}
