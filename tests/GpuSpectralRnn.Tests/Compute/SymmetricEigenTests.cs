using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Eigenvalues and vectors in double precision.</summary>
public abstract class SymmetricEigenTests(DeviceFixture device) : OperationTests(device)
{
    private ISpectralOps Spectral
    {
        get
        {
            Skip.IfNot(Backend.Device.HasFloat64, $"{Backend.Device.Id} has no double precision.");
            return Backend.Spectral;
        }
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(33)]
    public void Eigenvalues_and_vectors_by_their_properties(int order)
    {
        CheckEigen(RandomMatrix.Symmetric(order, order));
        CheckEigen(RandomMatrix.Gram(order, order));
        CheckEigen(new Matrix(order, order));
        CheckEigen(Matrix.Identity(order));
        Matrix ones = new(order, order);
        Array.Fill(ones.Data, 3); // all eigenvalues but one are zero
        CheckEigen(ones);
    }

    [SkippableTheory]
    [InlineData(1e-150)]
    [InlineData(1e150)]
    public void Eigenvalues_at_the_edge_of_the_doubles(double scale)
    {
        CheckEigen(scale * RandomMatrix.Symmetric(7, 3));
    }

    [SkippableFact]
    public void Eigenvalues_of_order_zero_and_what_is_refused()
    {
        Spectral.SymmetricEigen(new(0, [], [], []));
        Assert.Throws<ArgumentException>(() => Spectral.SymmetricEigen(new(2, new double[3], new double[2], new double[4])));
        foreach (double bad in new[] { double.NaN, double.PositiveInfinity })
            Assert.Throws<RunFailedException>(() => Spectral.SymmetricEigen(new(2, [1, bad, bad, 1], new double[2], new double[4])));
    }

    private void CheckEigen(Matrix a)
    {
        int n = a.Rows;
        double[] values = new double[n];
        Matrix vectors = new(n, n);
        Spectral.SymmetricEigen(new(n, a.Data, values, vectors.Data));

        // Some ten sweeps of n rotations, each with roundings of eps: 1e-14 n is about twenty times what a walk at random adds up to.
        double scale = a.Data.Max(Math.Abs), tolerance = 1e-14 * n * scale;
        Matrix scaled = vectors.Clone();
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) scaled[i, j] *= values[j];
        Close.Equal(scaled.Data, (a * vectors).Data, 0, tolerance, "A V = V D", n, n);
        Close.Equal(Matrix.Identity(n).Data, Matrix.Product(vectors, vectors, transposeA: true).Data, 0, 1e-14 * (n + 1), "V^T V = I", n, n);
        Assert.Equal(values.OrderDescending(), values);
        Assert.Equal(a.Trace(), values.Sum(), tolerance * n);
    }
}
