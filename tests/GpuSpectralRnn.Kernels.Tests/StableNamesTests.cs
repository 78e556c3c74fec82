namespace GpuSpectralRnn.Kernels.Tests;

/// <summary>The same kernel is the same text in every run, so that CUDA's driver need not compile it again.</summary>
public class StableNamesTests
{
    [Fact]
    public void Numbers_in_names_are_counted_from_zero()
    {
        const string First = ".target sm_80\n.param .b32 _index_83752,\n.param .b64 _p_83755\nL_8286450:\nbra L_8286450;\nld.param.b32 %r16, [_p_83755+8];\nmov.b64 %rd7, __shared_alloca0;";
        const string Second = ".target sm_80\n.param .b32 _index_17,\n.param .b64 _p_90\nL_1000:\nbra L_1000;\nld.param.b32 %r16, [_p_90+8];\nmov.b64 %rd7, __shared_alloca0;";
        const string Stable = ".target sm_80\n.param .b32 _index_0,\n.param .b64 _p_1\nL_2:\nbra L_2;\nld.param.b32 %r16, [_p_1+8];\nmov.b64 %rd7, __shared_alloca0;";

        Assert.Equal(Stable, KernelLoader.WithStableNames(First));
        Assert.Equal(Stable, KernelLoader.WithStableNames(Second));
    }
}
