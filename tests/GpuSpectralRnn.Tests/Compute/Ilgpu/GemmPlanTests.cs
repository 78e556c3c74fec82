using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime.CPU;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>How the products of the known cases are computed on a device of 132 multiprocessors: docs/performance.md says why.</summary>
public class GemmPlanTests
{
    [Theory]
    [InlineData(200704, 128, 1, false, true, GemmPlan.LargeBlocks, 1568, 1)] // inputs of all steps, pixels
    [InlineData(128, 1, 200704, true, false, GemmPlan.ColumnSums, 0, 0)]
    [InlineData(128, 128, 200704, true, false, GemmPlan.LargeBlocks, 1, 256)] // the partial products fill their memory
    [InlineData(1792, 128, 28, false, true, GemmPlan.SmallBlocks, 56, 1)] // rows
    [InlineData(128, 28, 1792, true, false, GemmPlan.SmallBlocks, 2, 28)]
    [InlineData(64, 10, 128, false, true, GemmPlan.SmallBlocks, 1, 2)] // a read-out of ten classes
    [InlineData(10, 128, 64, true, false, GemmPlan.SmallBlocks, 2, 1)]
    [InlineData(64, 128, 10, false, false, GemmPlan.SmallBlocks, 2, 1)]
    [InlineData(400, 800, 200, false, true, GemmPlan.SmallBlocks, 91, 2)] // LSTM 200
    [InlineData(800, 200, 400, true, false, GemmPlan.SmallBlocks, 52, 5)]
    [InlineData(700, 2600, 650, false, true, GemmPlan.LargeBlocks, 126, 2)] // LSTM 650
    [InlineData(2600, 650, 700, true, false, GemmPlan.LargeBlocks, 126, 2)]
    [InlineData(20, 650, 2600, false, false, GemmPlan.SmallBlocks, 11, 24)]
    [InlineData(700, 6000, 1500, false, true, GemmPlan.LargeBlocks, 282, 1)] // LSTM 1500
    [InlineData(6000, 1500, 700, true, false, GemmPlan.LargeBlocks, 564, 1)]
    [InlineData(700, 10000, 650, false, true, GemmPlan.LargeBlocks, 474, 1)] // a read-out of 10,000 words
    [InlineData(10000, 650, 700, true, false, GemmPlan.LargeBlocks, 474, 1)]
    [InlineData(700, 650, 10000, false, false, GemmPlan.LargeBlocks, 36, 7)]
    public void Every_product_in_use_fills_the_device(int m, int n, int k, bool transposeA, bool transposeB, GemmPlan plan, long blocks, int slices)
    {
        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
        using CPUAccelerator accelerator = context.CreateCPUAccelerator(0);
        KernelLoader loader = new(accelerator, isSimulator: false) { Multiprocessors = 132 };
        using ColumnSums sums = new(loader);
        using Gemm gemm = new(loader, sums);

        Assert.Equal(plan, gemm.PlanFor(m, n, k, transposeA, transposeB));
        if (plan == GemmPlan.ColumnSums) return;
        Assert.Equal((blocks, slices), (Gemm.BlocksOf(plan, m, n), gemm.SlicesFor(plan, m, n, k)));
    }
}
