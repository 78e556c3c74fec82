using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// The largest singular values of a rectangular matrix without its whole spectrum, from its smaller Gram matrix: of small ones by tridiagonal form
/// (<see cref="TridiagonalEigen"/>), else by block Lanczos (Golub and Underwood 1977) with full reorthogonalisation. Repeated values are found too (a
/// graph in two parts has sigma_1 = sigma_2).
/// </summary>
public static class SingularValues
{
    private const int BlockSize = 4;

    /// <summary>Matrices whose shorter side is less than this are decomposed whole.</summary>
    private const int LeastOrder = 4;

    /// <summary>Matrices whose shorter side is at most this are brought to tridiagonal form; for larger ones the subspace is cheaper.</summary>
    private const int SmallOrder = 320;

    /// <summary>Vectors before the residuals are looked at: seldom enough for the second value of a random matrix.</summary>
    private const int FirstCheck = 24;

    /// <summary>The largest residual ||B y - theta y|| of a pair, relative to the largest eigenvalue of the Gram matrix B.</summary>
    private const double Tolerance = 1e-12;

    /// <summary>
    /// sigma_1 and sigma_2 (0 for a single row or column). Each is |A v| of a vector v that is an eigenvector of the Gram matrix within 1e-12 of the
    /// largest eigenvalue: the residuals are measured, and where they do not become so small the whole spectrum is computed.
    /// </summary>
    /// <exception cref="RunFailedException">The matrix holds NaN or infinity.</exception>
    public static (double First, double Second) LargestTwo(Matrix a)
    {
        if (!a.IsFinite()) throw new RunFailedException($"A {a.Rows} x {a.Columns} matrix holds NaN or infinity: it has no singular values.");
        if (a.Rows == 0 || a.Columns == 0) return (0, 0);

        // Scaled by a power of two, so that squares neither overflow nor vanish.
        double largest = a.Data.Max(Math.Abs);
        if (largest == 0) return (0, 0);
        int exponent = Math.ILogB(largest);
        Matrix scaled = Math.ScaleB(1, -exponent) * (a.Rows >= a.Columns ? a : a.Transpose());
        (double first, double second) = LargestTwo(scaled, Matrix.Product(scaled, scaled, transposeA: true));
        return (Math.ScaleB(first, exponent), Math.ScaleB(second, exponent));
    }

    /// <summary>
    /// The same with the Gram matrix A^T A given, which a device may have summed up; squares of A must neither overflow nor vanish.
    /// </summary>
    /// <param name="a">A [rows, columns].</param>
    /// <param name="gram">A^T A [columns, columns], symmetric and finite.</param>
    public static (double First, double Second) LargestTwo(Matrix a, Matrix gram)
    {
        Matrix vectors = gram.Rows switch
        {
            < LeastOrder => null,
            <= SmallOrder => TridiagonalEigen.TwoLargest(gram),
            _ => TwoLargest(gram),
        } ?? Largest(SymmetricEigen.Compute(gram));

        // |A v| is right where the root of an eigenvalue, whose error is of the largest one's order, would not be: a zero stays one.
        double[] values = new double[2];
        Matrix images = Matrix.Product(vectors, a, transposeB: true);
        for (int i = 0; i < images.Rows; i++) values[i] = Math.Sqrt(VectorOps.Dot(images.Row(i), images.Row(i)));
        return (Math.Max(values[0], values[1]), Math.Min(values[0], values[1]));
    }

    // Rows: the first two eigenvectors, or the only one.
    private static Matrix Largest(SymmetricEigen eigen) =>
        eigen.Vectors.SelectColumns([.. Enumerable.Range(0, Math.Min(2, eigen.Values.Length))]).Transpose();

    // The eigenvectors of the two largest eigenvalues of B [n, n] as rows, or null where half of the space does not hold them.
    private static Matrix? TwoLargest(Matrix b)
    {
        int n = b.Rows, most = n / 2;
        Matrix basis = new(most, n), image = new(most, n); // rows: orthonormal vectors q, and B q
        Matrix block = new(BlockSize, n);
        for (int i = 0; i < block.Data.Length; i++) block.Data[i] = Philox.Uniform(0, 0, (ulong)i) - 0.5;
        int size = 0, nextCheck = FirstCheck;
        for (bool isOpen = true; isOpen;)
        {
            // Nothing is added where the space holds all that B makes of the first block: its two largest values are then B's.
            int added = Extend(basis, size, block);
            if (added > 0)
            {
                Matrix fresh = Matrix.From(added, n, basis.Data.AsSpan(size * n, added * n));
                block = fresh * b;
                block.Data.CopyTo(image.Data, size * n);
                size += added;
            }

            isOpen = added > 0 && size + BlockSize <= most;
            if (isOpen && size < nextCheck) continue;
            if (size < 2) return null;
            nextCheck = size + size / 2; // each check costs more than all steps before it

            // Rayleigh-Ritz: T = Q B Q^T, and the residuals of its two largest pairs.
            Matrix q = Matrix.From(size, n, basis.Data.AsSpan(0, size * n)), bq = Matrix.From(size, n, image.Data.AsSpan(0, size * n));
            SymmetricEigen ritz = SymmetricEigen.Compute(Matrix.Product(q, bq, transposeB: true));
            Matrix y = ritz.Vectors.SelectColumns([0, 1]);
            Matrix vectors = Matrix.Product(y, q, transposeA: true), residual = Matrix.Product(y, bq, transposeA: true);
            for (int i = 0; i < 2; i++) VectorOps.AddScaled(-ritz.Values[i], vectors.Row(i), residual.Row(i));
            if (residual.FrobeniusNorm() <= Tolerance * ritz.Values[0]) return vectors;
        }

        return null;
    }

    // Adds what is new in the block's rows to the basis, orthonormal (Gram-Schmidt, twice); returns how many rows that were.
    private static int Extend(Matrix basis, int size, Matrix block)
    {
        int added = 0;
        for (int i = 0; i < block.Rows; i++)
        {
            Span<double> row = block.Row(i);
            double before = Math.Sqrt(VectorOps.Dot(row, row));
            for (int pass = 0; pass < 2; pass++)
                for (int j = 0; j < size + added; j++) VectorOps.AddScaled(-VectorOps.Dot(basis.Row(j), row), basis.Row(j), row);
            double norm = Math.Sqrt(VectorOps.Dot(row, row));
            if (!(norm > 1e-12 * before)) continue;
            Span<double> target = basis.Row(size + added++);
            for (int l = 0; l < row.Length; l++) target[l] = row[l] / norm;
        }

        return added;
    }
}
