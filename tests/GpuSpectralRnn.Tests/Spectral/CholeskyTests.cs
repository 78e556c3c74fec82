using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public class CholeskyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(47)]
    [InlineData(48)]
    [InlineData(49)]
    [InlineData(131)]
    public void Solves_and_inverts(int order)
    {
        Matrix a = RandomMatrix.Gram(order, 5) + 0.1 * Matrix.Identity(order), b = RandomMatrix.Uniform(order, 7, 6);
        Cholesky factor = Assert.IsType<Cholesky>(Cholesky.TryFactor(a));

        // Condition numbers up to 10^4 times rounding.
        Close.Equal(a.Oracle().Solve(b.Oracle()).RowMajor(), factor.Solve(b).Data, 1e-10, 1e-10, "A^-1 B", order, 7);
        Close.Equal(a.Oracle().Inverse().RowMajor(), factor.Inverse().Data, 1e-10, 1e-10, "A^-1", order, order);
    }

    [Fact]
    public void Refuses_matrices_that_are_not_positive_definite()
    {
        Assert.Null(Cholesky.TryFactor(new Matrix(3, 3)));
        Assert.Null(Cholesky.TryFactor(Matrix.From(2, 2, [1.0, 2, 2, 1])));
        Assert.Null(Cholesky.TryFactor(Matrix.From(2, 2, [1.0, 1, 1, 1])));
        Assert.Null(Cholesky.TryFactor(Matrix.From(1, 1, [double.NaN])));
        Assert.Throws<ArgumentException>(() => Cholesky.TryFactor(new Matrix(2, 3)));
    }
}
