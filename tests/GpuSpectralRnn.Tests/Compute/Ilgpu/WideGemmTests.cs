using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using ILGPU;
using ILGPU.Runtime.CPU;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>
/// The product as real devices compute it, through shared memory in groups of 256 and in slices of K, on a simulator wide enough for such groups.
/// Real barriers between 256 threads are slow there: few and small cases, an accelerator of their own.
/// </summary>
public sealed class WideGemmTests : IDisposable
{
    private readonly Context context = Context.Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
    private readonly IlgpuBackend wide;

    public WideGemmTests()
    {
        KernelLoader loader = new(context.CreateCPUAccelerator(0), isSimulator: false);
        wide = new IlgpuBackend(new DeviceInfo("wide", "wide simulator", 1 << 30, HasFloat64: true), loader);
    }

    public void Dispose()
    {
        wide.Dispose();
        context.Dispose();
    }

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
            EqualsTheDefinition(m, n, k, transposeA, transposeB, plan);
    }

    [Theory]
    [InlineData(1, 7, 5, false, false)]
    [InlineData(1, 130, 33, true, false)]
    [InlineData(129, 1, 200, true, false)]
    [InlineData(3, 1, 1, true, true)]
    [InlineData(1, 1, 443, true, true)]
    public void A_single_line_weighs_the_other_factor(int m, int n, int k, bool transposeA, bool transposeB) =>
        EqualsTheDefinition(m, n, k, transposeA, transposeB, GemmPlan.ColumnSums);

    private void EqualsTheDefinition(int m, int n, int k, bool transposeA, bool transposeB, GemmPlan plan)
    {
        Assert.Equal($"kernels, {plan}", wide.ProductPlan(m, n, k, transposeA, transposeB));
        float[] a = Numbers.Normal((long)m * k, 1);
        float[] b = Numbers.Normal((long)k * n, 2);
        float[] c = Numbers.Normal((long)m * n, 3);
        double[] expected = ReferenceMatrix.Gemm(m, n, k, 0.5, a.ToDoubles(), transposeA, b.ToDoubles(), transposeB, -2, c.ToDoubles());

        // The rounding of a sum of k unit normal products grows as 6e-8 k; five times that.
        Close.Equal(expected, Multiply(wide, c, -2, 0.5f), 1e-6, 3e-7 * k + 1e-6, "beta -2");
        float[] fresh = [.. Enumerable.Repeat(float.NaN, m * n)];
        double[] product = ReferenceMatrix.Gemm(m, n, k, 1, a.ToDoubles(), transposeA, b.ToDoubles(), transposeB);
        Close.Equal(product, Multiply(wide, fresh, 0, 1), 1e-6, 3e-7 * k + 1e-6, "beta 0");

        float[] Multiply(IBackend backend, float[] start, float beta, float alpha)
        {
            using Tensor left = backend.Allocate(transposeA ? new Shape(k, m) : new Shape(m, k));
            using Tensor right = backend.Allocate(transposeB ? new Shape(n, k) : new Shape(k, n));
            using Tensor result = backend.Allocate(new Shape(m, n));
            left.CopyFrom<float>(a);
            right.CopyFrom<float>(b);
            result.CopyFrom<float>(start);
            backend.Matrix.Gemm(transposeA, transposeB, alpha, left, right, beta, result);
            return result.ToArray();
        }
    }
}
