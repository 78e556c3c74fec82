using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Host;

/// <summary>The double-precision product against Math.NET, at the edges of its tiles (4 x 12), tasks (96 rows) and slabs (256 terms).</summary>
public class Float64GemmTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 3, 5)]
    [InlineData(3, 11, 13)]
    [InlineData(4, 12, 256)]
    [InlineData(5, 13, 257)]
    [InlineData(95, 47, 31)]
    [InlineData(97, 49, 443)]
    [InlineData(193, 1, 513)]
    public void Product_equals_the_oracle_in_every_transposition(int rows, int columns, int inner)
    {
        Matrix a = RandomMatrix.Uniform(rows, inner, 1), b = RandomMatrix.Uniform(inner, columns, 2);
        double[] expected = (a.Oracle() * b.Oracle()).RowMajor();

        foreach ((bool transposeA, bool transposeB) in new[] { (false, false), (true, false), (false, true), (true, true) })
        {
            Matrix product = Matrix.Product(transposeA ? a.Transpose() : a, transposeB ? b.Transpose() : b, transposeA, transposeB);

            // Sums of `inner` products of at most 1, in another order.
            Close.Equal(expected, product.Data, 0, inner * 2.3e-16, $"{transposeA} {transposeB}", rows, columns);
        }
    }

    [Fact]
    public void Empty_and_misfitting_factors()
    {
        Assert.Equal(new double[6], (new Matrix(2, 0) * new Matrix(0, 3)).Data);
        Assert.Empty((new Matrix(0, 4) * new Matrix(4, 3)).Data);
        Assert.Throws<ArgumentException>(() => new Matrix(2, 3) * new Matrix(2, 3));
    }
}
