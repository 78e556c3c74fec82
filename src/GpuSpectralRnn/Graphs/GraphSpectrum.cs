using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>
/// Singular values of a graph's matrices on a device: their squares are the eigenvalues of the smaller Gram matrix, which the device sums up as it
/// does second moments of states. The adjacency matrix [0 B; B^T 0] has the eigenvalues +-sigma_i(B).
/// </summary>
public static class GraphSpectrum
{
    /// <summary>
    /// sigma_1 and sigma_2 (0 for a single row or column). The cubic part, the Gram matrix, is the device's; its two largest eigenvectors come from
    /// block Lanczos (<see cref="SingularValues"/>), and the values from the products of B and these, so that zeros come out as zeros.
    /// </summary>
    /// <param name="backend">Sums up the Gram matrix.</param>
    /// <param name="b">Of any extents; rounded to single precision.</param>
    /// <exception cref="RunFailedException">The matrix holds NaN or infinity.</exception>
    public static (double First, double Second) LargestTwo(IBackend backend, Matrix b)
    {
        if (!b.IsFinite()) throw new RunFailedException($"A {b.Rows} x {b.Columns} matrix holds NaN or infinity: it has no singular values.");
        if (b.Rows == 0 || b.Columns == 0) return (0, 0);
        Matrix narrow = Narrow(b);
        return SingularValues.LargestTwo(narrow, Gram(backend, narrow));
    }

    /// <summary>All singular values, descending; min(rows, columns) of them, by the device's eigendecomposition.</summary>
    /// <exception cref="RunFailedException">The matrix holds NaN or infinity.</exception>
    public static double[] All(IBackend backend, Matrix b)
    {
        Matrix narrow = Narrow(b), gram = Gram(backend, narrow);
        int order = gram.Rows;
        (double[] values, Matrix vectors) = (new double[order], new Matrix(order, order));
        if (backend.Device.HasFloat64) backend.Spectral.SymmetricEigen(new(order, gram.Data, values, vectors.Data));
        else vectors = SymmetricEigen.Compute(gram).Vectors;
        Matrix images = Matrix.Product(narrow, vectors); // of each eigenvector: |B v| is its singular value
        for (int j = 0; j < order; j++)
        {
            double sum = 0;
            for (int i = 0; i < images.Rows; i++) sum += images[i, j] * images[i, j];
            values[j] = Math.Sqrt(sum);
        }

        return [.. values.OrderDescending()];
    }

    // Rows no fewer than columns.
    private static Matrix Narrow(Matrix b) => b.Rows >= b.Columns ? b : b.Transpose();

    private static Matrix Gram(IBackend backend, Matrix b)
    {
        using Tensor rows = backend.Allocate(new Shape(b.Rows, b.Columns));
        rows.CopyFrom<float>(b.ToSingle());
        using GramAccumulator sums = backend.Spectral.CreateGram(b.Columns);
        sums.Add(new(rows));
        Matrix gram = new(b.Columns, b.Columns);
        sums.Read(gram.Data);
        return gram;
    }
}
