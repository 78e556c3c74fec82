using System.Globalization;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Host;

/// <summary>Eigendecomposition by property: A V = V D, V^T V = I, descending order, input unchanged; values against Math.NET.</summary>
public class SymmetricEigenSolverTests
{
    public static TheoryData<int> Orders => [1, 2, 3, 5, 10, 15, 16, 17, 31, 33, 50, 100];

    [Theory]
    [MemberData(nameof(Orders))]
    public void Symmetric_matrices_of_both_signs(int order) => Check(RandomMatrix.Symmetric(order, order));

    [Theory]
    [MemberData(nameof(Orders))]
    public void Gram_matrices(int order) => Check(RandomMatrix.Gram(order, order));

    [Theory]
    [MemberData(nameof(Orders))]
    public void Half_of_the_eigenvalues_zero(int order)
    {
        Matrix rows = RandomMatrix.Uniform((order + 1) / 2, order, order);
        SymmetricEigen eigen = Check(Matrix.Product(rows, rows, transposeA: true));

        for (int i = rows.Rows; i < order; i++) Assert.InRange(Math.Abs(eigen.Values[i]), 0, 1e-14 * order * eigen.Values[0]);
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void Repeated_eigenvalues(int order)
    {
        // Q diag(2, ..., 2, -1, ..., -1) Q^T with the Householder reflection Q = I - 2 u u^T.
        Matrix u = RandomMatrix.Uniform(order, 1, 7);
        Matrix reflection = Matrix.Identity(order) - 2 / Matrix.Inner(u, u) * Matrix.Product(u, u, transposeB: true);
        Matrix values = Matrix.Identity(order);
        for (int i = 0; i < order; i++) values[i, i] = i <= order / 2 ? 2 : -1;
        SymmetricEigen eigen = Check(reflection * values * reflection);

        for (int i = 0; i < order; i++) Assert.Equal(i <= order / 2 ? 2 : -1, eigen.Values[i], 1e-13 * order);
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public void Diagonal_zero_and_constant_matrices(int order)
    {
        Assert.Equal(new double[order], Check(new Matrix(order, order)).Values);
        Assert.All(Check(Matrix.Identity(order)).Values, value => Assert.Equal(1, value, 1e-14));
        Matrix ones = new(order, order);
        Array.Fill(ones.Data, 3);
        Assert.Equal(3.0 * order, Check(ones).Values[0], 1e-13 * order);
    }

    [Theory]
    [InlineData(1e-150)]
    [InlineData(1e150)]
    public void Scales_at_the_edge_of_the_doubles(double scale) => Check(scale * RandomMatrix.Symmetric(17, 3));

    [Fact]
    public void Widely_spread_eigenvalues()
    {
        // Hilbert's matrix: eigenvalues from 1.8 down to below 1e-17.
        Matrix hilbert = new(20, 20);
        for (int i = 0; i < 20; i++)
            for (int j = 0; j < 20; j++) hilbert[i, j] = 1.0 / (i + j + 1);
        Check(hilbert);
    }

    [Fact]
    public void Two_by_two_with_an_empty_diagonal()
    {
        SymmetricEigen eigen = Check(Matrix.From(2, 2, [0.0, 1, 1, 0]));

        Close.Equal([1, -1], eigen.Values, 0, 1e-15, "eigenvalues");
    }

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        const int Order = 147; // an odd number of blocks, the last of them ragged
        Matrix a = RandomMatrix.Gram(Order, 1);
        double[][] vectors = [.. new[] { 1, 2, 5 }.Select(threads =>
        {
            using HostBackend host = new(threads);
            double[] result = new double[Order * Order];
            host.Spectral.SymmetricEigen(new(Order, a.Data, new double[Order], result));
            return result;
        })];

        Check(a);
        Assert.Equal(vectors[0], vectors[1]);
        Assert.Equal(vectors[0], vectors[2]);
    }

    [Fact]
    public void Order_zero_and_what_is_refused()
    {
        Assert.Empty(SymmetricEigen.Compute(new Matrix(0, 0)).Values);
        Assert.Throws<ArgumentException>(() => SymmetricEigen.Compute(new Matrix(2, 3)));
        foreach (double bad in new[] { double.NaN, double.PositiveInfinity })
            Assert.Contains(
                bad.ToString(CultureInfo.InvariantCulture), Assert.Throws<RunFailedException>(() => SymmetricEigen.Compute(Matrix.From(2, 2, [1, bad, bad, 1]))).Message);
    }

    private static SymmetricEigen Check(Matrix a)
    {
        int n = a.Rows;
        double[] before = [.. a.Data];
        SymmetricEigen eigen = SymmetricEigen.Compute(a);
        Assert.Equal(before, a.Data);

        // Backward stability: a few n eps ||A||, with a shift of up to n ||A|| for matrices of both signs.
        double scale = a.Data.Max(Math.Abs), tolerance = 1e-14 * n * scale;
        Matrix scaledVectors = eigen.Vectors.Clone();
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) scaledVectors[i, j] *= eigen.Values[j];
        Close.Equal(scaledVectors.Data, (a * eigen.Vectors).Data, 0, tolerance, "A V = V D", n, n);
        Matrix products = Matrix.Product(eigen.Vectors, eigen.Vectors, transposeA: true);
        Close.Equal(Matrix.Identity(n).Data, products.Data, 0, 2e-15 * (n + 5), "V^T V = I", n, n);
        Assert.Equal(eigen.Values.OrderDescending(), eigen.Values);
        Assert.Equal(a.Trace(), eigen.Values.Sum(), tolerance * Math.Max(1, Math.Sqrt(n)));
        if (scale == 0) return eigen;
        var complex = (1 / scale * a).Oracle().Evd(MathNet.Numerics.LinearAlgebra.Symmetricity.Symmetric).EigenValues;
        double[] oracle = [.. complex.Select(z => z.Real * scale).OrderDescending()];
        Close.Equal(oracle, eigen.Values, 0, 2 * tolerance, "Math.NET");
        return eigen;
    }
}
