using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>The product as real devices compute it, through shared memory in groups of 256 and in slices of K.</summary>
[Collection("wide simulator")]
public sealed class WideGemmTests(WideDevice device) : GemmChecks(device)
{
    [Theory]
    [InlineData(32, 32, 1, GemmPlan.SmallBlocks)]
    [InlineData(64, 64, 16, GemmPlan.SmallBlocks)]
    [InlineData(63, 65, 17, GemmPlan.SmallBlocks)]
    [InlineData(33, 40, 300, GemmPlan.SmallBlocks)] // two slices of K
    [InlineData(128, 128, 8, GemmPlan.LargeBlocks)]
    [InlineData(68, 132, 20, GemmPlan.LargeBlocks)] // four numbers at once, whatever is transposed
    [InlineData(65, 129, 9, GemmPlan.LargeBlocks)]
    [InlineData(127, 65, 131, GemmPlan.LargeBlocks)] // two slices of K
    [InlineData(31, 64, 33, GemmPlan.SmallBlocks)]
    [InlineData(5, 3, 600, GemmPlan.SmallBlocks)] // two slices of K
    [InlineData(2, 2, 1, GemmPlan.SmallBlocks)]
    public void In_blocks_and_in_slices_equals_the_plain_product(int m, int n, int k, GemmPlan plan)
    {
        foreach ((bool transposeA, bool transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
            Check(m, n, k, transposeA, transposeB, plan);
    }

    [Theory]
    [InlineData(1, 7, 5, false, false)]
    [InlineData(1, 130, 33, true, false)]
    [InlineData(129, 1, 200, true, false)]
    [InlineData(3, 1, 1, true, true)]
    [InlineData(1, 1, 443, true, true)]
    public void A_single_line_weighs_the_other_factor(int m, int n, int k, bool transposeA, bool transposeB) =>
        Check(m, n, k, transposeA, transposeB, GemmPlan.ColumnSums);

    private void Check(int m, int n, int k, bool transposeA, bool transposeB, GemmPlan plan)
    {
        Assert.Equal($"kernels, {plan}", ((IlgpuBackend)Backend).ProductPlan(m, n, k, transposeA, transposeB));
        Check(m, n, k, transposeA, transposeB);
    }
}
