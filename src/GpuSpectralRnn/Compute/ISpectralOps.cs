using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute;

/// <summary>
/// The uncentred second moments sum_n w_n h_n h_n^T of rows h_n, summed where the rows live until they are asked for: in double precision, or as
/// compensated pairs of singles on a device without it. Any number of rows in constant memory.
/// </summary>
public abstract class GramAccumulator : IDisposable
{
    /// <summary>m, the width of the rows.</summary>
    public abstract int Units { get; }

    /// <summary>
    /// Adds w_n h_n h_n^T for every row n. A row of weight zero is not read: padding may hold anything. The order of the additions is fixed by the
    /// rows and the calls.
    /// </summary>
    /// <param name="states">Float32 [..., m], seen as N rows.</param>
    /// <param name="weights">Float32 weights of zero or more; their count C must divide N, and each covers N / C rows in a row ([T] for states [T, B,
    /// m]: one per step; [T, B]: one per row). Null: all ones.</param>
    /// <param name="weightSum">The sum of w_n over all rows where the caller knows it, so that a device need not bring the weights to the processor.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public abstract void Add(Tensor states, Tensor? weights = null, double? weightSum = null);

    /// <summary>Waits for the device and writes the symmetric matrix [m, m], row by row.</summary>
    /// <returns>The sum of the weights (the number of rows where none were given).</returns>
    public abstract double Read(Span<double> sums);

    /// <summary>Starts again from zero.</summary>
    public abstract void Reset();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>For every step the sum of its rows' mean squares, kept where the rows live until it is asked for.</summary>
public abstract class StepSquares : IDisposable
{
    /// <summary>T.</summary>
    public abstract int Steps { get; }

    /// <summary>Adds (1/m) ||x[t, b]||^2 to the sum of step t, for every b.</summary>
    /// <param name="rows">x [T, B, m].</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public abstract void Add(Tensor rows);

    /// <summary>Waits for the device and writes the sums [T].</summary>
    public abstract void Read(Span<double> sums);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Second moments and eigenvalues, in double precision.</summary>
public interface ISpectralOps
{
    /// <summary>Makes empty sums for rows of <paramref name="units"/> numbers; the caller owns them.</summary>
    GramAccumulator CreateGram(int units);

    /// <summary>Makes empty sums of squares for sequences of <paramref name="steps"/> steps; the caller owns them.</summary>
    StepSquares CreateStepSquares(int steps);

    /// <summary>
    /// Eigendecomposition A = V diag(values) V^T of a symmetric matrix by cyclic Jacobi rotations. Of an unsymmetric matrix the symmetric part is
    /// taken.
    /// </summary>
    /// <param name="order">n, zero or more.</param>
    /// <param name="matrix">A [n, n]; unchanged.</param>
    /// <param name="values">Receives the n eigenvalues, descending. A zero eigenvalue comes out as a number of either sign of the order n eps
    /// ||A||.</param>
    /// <param name="vectors">Receives V [n, n], an eigenvector per column, orthonormal.</param>
    /// <exception cref="RunFailedException">The matrix holds NaN or infinity.</exception>
    /// <exception cref="InvalidCallException">The device has no double precision.</exception>
    void SymmetricEigen(int order, ReadOnlySpan<double> matrix, Span<double> values, Span<double> vectors);
}
