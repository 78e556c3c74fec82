namespace GpuSpectralRnn.Numerics;

/// <summary>The eigendecomposition A = V diag(values) V^T of a symmetric matrix.</summary>
/// <param name="Values">Eigenvalues, descending.</param>
/// <param name="Vectors">V [n, n], one orthonormal eigenvector per column.</param>
public sealed record SymmetricEigen(double[] Values, Matrix Vectors)
{
    /// <summary>Decomposes A on the processor; A is unchanged.</summary>
    /// <exception cref="ArgumentException">A is not square.</exception>
    /// <exception cref="RunFailedException">A holds NaN or infinity.</exception>
    public static SymmetricEigen Compute(Matrix a)
    {
        if (a.Rows != a.Columns) throw new ArgumentException($"{a} is not square.", nameof(a));
        SymmetricEigen result = new(new double[a.Rows], new Matrix(a.Rows, a.Rows));
        SymmetricEigenSolver.Decompose(a.Rows, a.Data, result.Values, result.Vectors.Data, HostParallel.Shared);
        return result;
    }
}
