using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute;

/// <summary>Rows to add to second moments.</summary>
/// <param name="States">Float32 [..., m], seen as N rows.</param>
/// <param name="Weights">
/// Float32 weights, finite and zero or more; their count C must divide N, and each covers N / C consecutive rows ([T] for states [T, B, m]: one per
/// step; [T, B]: one per row). Null: all ones.
/// </param>
/// <param name="WeightSum">The sum of w_n over all rows, if known: a device then need not copy the weights to the host to add them up.</param>
public readonly record struct GramOperands(Tensor States, Tensor? Weights = null, double? WeightSum = null);

/// <summary>
/// Uncentred second moments sum_n w_n h_n h_n^T of rows h_n [m], accumulated on the device until they are read: in double precision, or as
/// compensated pairs of singles on a device without it. Memory does not depend on the number of rows.
/// </summary>
public abstract class GramAccumulator : IDisposable
{
    /// <summary>m, the width of the rows.</summary>
    public abstract int Units { get; }

    /// <summary>
    /// Adds w_n h_n h_n^T for every row n. Rows of weight zero are not read and may hold anything. The order of the additions is a function of the
    /// extents and the order of the calls.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or a weight is negative, infinite or NaN.</exception>
    public abstract void Add(GramOperands operands);

    /// <summary>Waits for the device and writes the symmetric matrix [m, m], row by row.</summary>
    /// <returns>The sum of the weights (the number of rows where none were given).</returns>
    public abstract double Read(Span<double> sums);

    /// <summary>Sets the sums to zero.</summary>
    public abstract void Reset();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>For every step the sum of its rows' mean squares, accumulated on the device until it is read.</summary>
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

/// <summary>Operands of an eigendecomposition, in host memory.</summary>
/// <param name="order">n, zero or more.</param>
/// <param name="matrix">A [n, n]; not changed.</param>
/// <param name="values">[n].</param>
/// <param name="vectors">V [n, n].</param>
public readonly ref struct SymmetricEigenOperands(int order, ReadOnlySpan<double> matrix, Span<double> values, Span<double> vectors)
{
    /// <summary>n.</summary>
    public readonly int Order = order;

    /// <summary>A [n, n], row by row.</summary>
    public readonly ReadOnlySpan<double> Matrix = matrix;

    /// <summary>Receives the n eigenvalues, descending; a zero eigenvalue comes out as a number of either sign of the order n eps ||A||.</summary>
    public readonly Span<double> Values = values;

    /// <summary>Receives V [n, n], row by row: an eigenvector per column, orthonormal.</summary>
    public readonly Span<double> Vectors = vectors;
}

/// <summary>Second moments and eigenvalues, in double precision.</summary>
public interface ISpectralOps
{
    /// <summary>Makes empty sums for rows of <paramref name="units"/> numbers; the caller owns them.</summary>
    GramAccumulator CreateGram(int units);

    /// <summary>Makes empty sums of squares for sequences of <paramref name="steps"/> steps; the caller owns them.</summary>
    StepSquares CreateStepSquares(int steps);

    /// <summary>
    /// Eigendecomposition A = V diag(values) V^T of the symmetric part of a matrix; by cyclic Jacobi rotations on devices and by one-sided ones on
    /// the host.
    /// </summary>
    /// <exception cref="ArgumentException">The extents do not fit.</exception>
    /// <exception cref="RunFailedException">The matrix holds NaN or infinity.</exception>
    /// <exception cref="InvalidCallException">The device has no double precision.</exception>
    void SymmetricEigen(SymmetricEigenOperands operands);
}
