using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Numerics;

/// <summary>The factorisation A = L L^T of a symmetric positive definite matrix, blocked so that nearly all of the work is products.</summary>
public sealed class Cholesky
{
    private const int Block = 48;

    private readonly Matrix lower;

    private Cholesky(Matrix lower) => this.lower = lower;

    /// <summary>The order of the matrix.</summary>
    public int Order => lower.Rows;

    /// <summary>
    /// Factors A, of which the lower triangle is read; null where A is not positive definite within rounding: a pivot at most n eps times its
    /// diagonal element.
    /// </summary>
    /// <exception cref="ArgumentException">A is not square.</exception>
    public static unsafe Cholesky? TryFactor(Matrix a)
    {
        if (a.Rows != a.Columns) throw new ArgumentException($"{a} is not square.", nameof(a));
        int n = a.Rows;
        double tolerance = n * Float64Gemm.Epsilon;
        Matrix lower = a.Clone();
        fixed (double* data = lower.Data)
        {
            Float64View l = new(data, n, n, n);
            for (int first = 0; first < n; first += Block)
            {
                int end = Math.Min(n, first + Block);
                for (int i = first; i < n; i++)
                {
                    // Row i of the panel: products of the columns before it were taken off when their blocks were done.
                    for (int j = first; j < Math.Min(i + 1, end); j++)
                    {
                        double sum = lower[i, j];
                        for (int k = first; k < j; k++) sum -= lower[i, k] * lower[j, k];
                        if (i != j)
                        {
                            lower[i, j] = sum / lower[j, j];
                            continue;
                        }

                        if (!(sum > tolerance * a[i, i])) return null;
                        lower[i, i] = Math.Sqrt(sum);
                    }
                }

                Float64View panel = l.Window(end, first, n - end, end - first);
                Float64Gemm.Accumulate(HostParallel.Shared, -1, panel, panel.Transposed, l.Window(end, end, n - end, n - end));
            }
        }

        for (int i = 0; i < n; i++) lower.Row(i)[(i + 1)..].Clear();
        return new Cholesky(lower);
    }

    /// <summary>A^{-1} B.</summary>
    /// <exception cref="ArgumentException">B has another number of rows than A.</exception>
    public Matrix Solve(Matrix b)
    {
        if (b.Rows != Order) throw new ArgumentException($"{b} does not fit an equation of order {Order}.", nameof(b));
        return SolveInPlace(b.Clone());
    }

    /// <summary>A^{-1}.</summary>
    public Matrix Inverse()
    {
        Matrix inverse = SolveInPlace(Matrix.Identity(Order));
        for (int i = 0; i < Order; i++)
            for (int j = 0; j < i; j++) inverse[i, j] = inverse[j, i] = 0.5 * (inverse[i, j] + inverse[j, i]);
        return inverse;
    }

    private unsafe Matrix SolveInPlace(Matrix solution)
    {
        int n = Order, width = solution.Columns;
        fixed (double* data = lower.Data, right = solution.Data)
        {
            Float64View l = new(data, n, n, n), x = new(right, n, width, width);
            for (int first = 0; first < n; first += Block)
            {
                int end = Math.Min(n, first + Block);
                for (int i = first; i < end; i++)
                {
                    for (int k = first; k < i; k++) AddRow(solution, i, -lower[i, k], k);
                    Scale(solution.Row(i), 1 / lower[i, i]);
                }

                Float64View panel = l.Window(end, first, n - end, end - first);
                Float64Gemm.Accumulate(HostParallel.Shared, -1, panel, x.Window(first, 0, end - first, width), x.Window(end, 0, n - end, width));
            }

            for (int end = n; end > 0; end -= (end - 1) % Block + 1)
            {
                int first = end - ((end - 1) % Block + 1);
                Float64View panel = l.Window(end, first, n - end, end - first);
                Float64View above = x.Window(first, 0, end - first, width);
                Float64Gemm.Accumulate(HostParallel.Shared, -1, panel.Transposed, x.Window(end, 0, n - end, width), above);
                for (int i = end - 1; i >= first; i--)
                {
                    for (int k = i + 1; k < end; k++) AddRow(solution, i, -lower[k, i], k);
                    Scale(solution.Row(i), 1 / lower[i, i]);
                }
            }
        }

        return solution;
    }

    private static void AddRow(Matrix x, int target, double factor, int source) => VectorOps.AddScaled(factor, x.Row(source), x.Row(target));

    private static void Scale(Span<double> row, double factor)
    {
        for (int j = 0; j < row.Length; j++) row[j] *= factor;
    }
}
