using System.Numerics;
using System.Runtime.Intrinsics;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Tests.Compute.Host;

public sealed class LanesTests
{
    [SkippableFact]
    public void The_first_lanes_of_512_bits_leave_the_others_alone()
    {
        Skip.IfNot(Simd.IsWide, "This processor has no AVX-512.");
        for (int count = 1; count <= 16; count++) Check<Simd512, Vector512<float>, FirstLanes512>(new FirstLanes512(count), count);
        Check<Simd512, Vector512<float>, AllLanes<Simd512, Vector512<float>>>(default, 16);
    }

    [Fact]
    public void The_first_lanes_of_any_vector_leave_the_others_alone()
    {
        for (int count = 1; count <= Vector<float>.Count; count++) Check<SimdVectorT, Vector<float>, FirstLanesAny>(new FirstLanesAny(count), count);
        Check<SimdVectorT, Vector<float>, AllLanes<SimdVectorT, Vector<float>>>(default, Vector<float>.Count);
    }

    private static unsafe void Check<TSimd, TVector, TLanes>(TLanes lanes, int count)
        where TSimd : struct, ISimd<TVector>
        where TVector : unmanaged
        where TLanes : struct, ILanes<TVector>
    {
        float[] source = [.. Enumerable.Range(1, TSimd.Count).Select(i => (float)i)], whole = new float[TSimd.Count], part = new float[TSimd.Count];
        Array.Fill(part, -1);
        fixed (float* from = source, all = whole, some = part)
        {
            TSimd.Store(lanes.Load(from), all);
            lanes.Store(TSimd.Load(from), some);
        }

        Assert.Equal(source.Select((x, i) => i < count ? x : 0), whole);
        Assert.Equal(source.Select((x, i) => i < count ? x : -1), part);
    }
}
