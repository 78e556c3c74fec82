using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>
/// The products of every device and some more. Factors that TF32 can hold make the products the same as in single precision, so that they are held to
/// the definition almost as closely; what rounding does to other factors is a test of its own.
/// </summary>
public class CudaTensorCoreTests(CudaTensorCoreDevice device) : GemmTests(device), IClassFixture<CudaTensorCoreDevice>
{
    // Tensor cores cut off the ends of what they add, to the same side each time, where others round to the nearer: three times as much.
    protected override double ErrorPerProduct => 1e-6;

    protected override float[] Factor(long count, int seed) => Array.ConvertAll(Numbers.Normal(count, seed), Tf32.Round);

    // Blocks of 128 x 128 x 16, alone, with a line less or more, with 1, 2, 3, 15, 16, 17 left over; factors in quads and not; K in slices from 128
    // on.
    [SkippableTheory]
    [InlineData(65, 65, 1)]
    [InlineData(127, 129, 2)]
    [InlineData(128, 128, 3)]
    [InlineData(129, 127, 15)]
    [InlineData(128, 132, 16)]
    [InlineData(130, 66, 17)]
    [InlineData(131, 128, 32)]
    [InlineData(143, 144, 63)]
    [InlineData(145, 128, 64)]
    [InlineData(128, 257, 65)]
    [InlineData(96, 443, 127)]
    [InlineData(443, 100, 128)]
    [InlineData(68, 132, 129)]
    [InlineData(259, 130, 443)]
    [InlineData(192, 96, 1500)]
    public void Blocks_on_tensor_cores_agree_with_the_definition(int m, int n, int k)
    {
        Assert.Equal("kernels, TensorCores", ((IlgpuBackend)Backend).ProductPlan(m, n, k));
        Agrees_with_the_definition(m, n, k);
    }

    // K is a multiple of four, yet the matrices do not start at one.
    [SkippableFact]
    public void Factors_may_start_anywhere()
    {
        const int M = 70, N = 72, K = 20;
        Tensor a = Make(Factor(1 + M * K, 1), 1 + M * K);
        Tensor b = Make(Factor(3 + K * N, 2), 3 + K * N);
        Tensor c = Garbage(1 + M * N);
        Tensor product = c.View(1, M, N);
        Backend.Matrix.Gemm(new(false, false, 1, a.View(1, M, K), b.View(3, K, N), 0, product));
        double[] expected = ReferenceMatrix.Gemm(M, N, K, 1, a.ToArray()[1..].ToDoubles(), false, b.ToArray()[3..].ToDoubles(), false);
        Close.Equal(expected, product, 1e-6, ErrorPerProduct * K + 1e-6);
        Assert.True(float.IsNaN(c.ToArray()[0]));
    }

    // Each factor is the nearest number with 10 bits behind the point: off by 2^-11 of itself at most, so a product by 2^-10.
    [SkippableFact]
    public void Factors_are_rounded_to_the_nearest_of_ten_bits()
    {
        const int M = 96, N = 80, K = 48;
        float[] a = Numbers.Normal(M * K, 1);
        float[] b = Numbers.Normal(K * N, 2);
        Tensor c = Garbage(M, N);
        Backend.Matrix.Gemm(new(false, false, 1, Make(a, M, K), Make(b, K, N), 0, c));
        double[] rounded = ReferenceMatrix.Gemm(
            M, N, K, 1, Array.ConvertAll(a, Tf32.Round).ToDoubles(), false, Array.ConvertAll(b, Tf32.Round).ToDoubles(), false);
        double[] exact = ReferenceMatrix.Gemm(M, N, K, 1, a.ToDoubles(), false, b.ToDoubles(), false);
        double[] sizes = ReferenceMatrix.Gemm(
            M, N, K, 1, Array.ConvertAll(a.ToDoubles(), Math.Abs), false, Array.ConvertAll(b.ToDoubles(), Math.Abs), false);
        Close.Equal(rounded, c, 1e-6, ErrorPerProduct * K + 1e-6);
        float[] result = c.ToArray();
        for (int i = 0; i < result.Length; i++)
            Assert.InRange(result[i], exact[i] - sizes[i] / 1000, exact[i] + sizes[i] / 1000); // 2^-10, and some for the sums
        Assert.Contains(Enumerable.Range(0, result.Length), i => Math.Abs(result[i] - exact[i]) > 1e-4 * sizes[i]); // single precision errs by 1e-6 of it
    }

    [SkippableFact]
    public void What_is_not_finite_stays_so()
    {
        const int M = 66, N = 67, K = 5;
        float[] a = Numbers.Normal(M * K, 1);
        (a[3 * K + 1], a[40 * K + 4]) = (float.NaN, float.PositiveInfinity);
        Tensor c = Garbage(M, N);
        Backend.Matrix.Gemm(new(false, false, 1, Make(a, M, K), Random(2, K, N), 0, c));
        float[] result = c.ToArray();
        for (int row = 0; row < M; row++)
        {
            float[] line = result[(row * N)..((row + 1) * N)];
            if (row == 3) Assert.All(line, value => Assert.True(float.IsNaN(value)));
            else if (row == 40) Assert.All(line, value => Assert.True(float.IsInfinity(value)));
            else Assert.All(line, value => Assert.True(float.IsFinite(value)));
        }
    }
}

public class CudaCuBlasTf32Tests(CuBlasTf32Device device) : GemmTests(device), IClassFixture<CuBlasTf32Device>
{
    protected override double ErrorPerProduct => 1e-6; // as above

    protected override float[] Factor(long count, int seed) => Array.ConvertAll(Numbers.Normal(count, seed), Tf32.Round);

    [SkippableFact]
    public void All_products_are_its() => Assert.Equal("cublas-tf32", ((IlgpuBackend)Backend).ProductPlan(1, 2, 3));
}

/// <summary>Numbers with 10 bits behind the point.</summary>
internal static class Tf32
{
    /// <summary>The nearest: half of the last bit that stays is added, and what is behind it cut off, so ties go away from zero.</summary>
    public static float Round(float value) => BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(value) + 0x1000) & ~0x1FFF);
}
