using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// Symmetric eigendecomposition by one-sided Jacobi rotations after a pivoted Cholesky factorisation (Veselic and Hari, Numer. Math. 56, 1989; Drmac
/// and Veselic, SIAM J. Matrix Anal. 29, 2008): A + shift I = sum_i r_i r_i^T with the rows r_i of the factor; rotating pairs of rows until all are
/// orthogonal leaves that sum unchanged, so in the end r_i = sqrt(value_i + shift) v_i, and no vectors need to be accumulated. Backward stable: the
/// error is that of a perturbation of a few n eps ||A||, as LAPACK's is.
/// </summary>
internal static unsafe class SymmetricEigenSolver
{
    /// <summary>A = V diag(values) V^T of a symmetric A [n, n]: values descending, an eigenvector per column of V [n, n].</summary>
    public static void Decompose(int n, ReadOnlySpan<double> matrix, Span<double> values, Span<double> vectors, HostParallel threads)
    {
        if (n == 0) return;

        // Scaled by a power of two (exactly) to about 1, so that squares neither overflow nor vanish.
        double largest = 0;
        foreach (double x in matrix)
        {
            if (!double.IsFinite(x)) throw new RunFailedException($"A matrix of order {n} holds {x}: it has no eigenvalues.");
            largest = Math.Max(largest, Math.Abs(x));
        }

        if (largest == 0)
        {
            values.Clear();
            vectors.Clear();
            for (int i = 0; i < n; i++) vectors[i * n + i] = 1;
            return;
        }

        int exponent = Math.ILogB(largest);
        double[] symmetric = new double[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                symmetric[i * n + j] = 0.5 * Math.ScaleB(matrix[i * n + j], -exponent) + 0.5 * Math.ScaleB(matrix[j * n + i], -exponent);

        double[] rows = new double[n * n];
        double[] quotients = new double[n];
        double[] image = new double[n * n];
        fixed (double* r = rows, a = symmetric, ra = image)
        {
            Factor(n, symmetric, r, threads);
            new OneSidedJacobi(n, r, quotients, threads).Orthogonalise();
            for (int i = 0; i < n; i++)
            {
                double norm = Math.Sqrt(quotients[i]);
                for (int j = 0; j < n; j++) r[(long)i * n + j] /= norm;
            }

            // Rayleigh quotients v^T A v are free of the shift's rounding error, unlike |r_i|^2 - shift.
            Float64Gemm.Accumulate(threads, 1, new Float64View(r, n, n, n), new Float64View(a, n, n, n), new Float64View(ra, n, n, n));
            for (int i = 0; i < n; i++)
            {
                quotients[i] = 0;
                for (int j = 0; j < n; j++) quotients[i] += r[(long)i * n + j] * ra[(long)i * n + j];
            }
        }

        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => quotients[i])];
        for (int j = 0; j < n; j++)
        {
            values[j] = Math.ScaleB(quotients[order[j]], exponent);
            for (int i = 0; i < n; i++) vectors[i * n + j] = rows[order[j] * n + i];
        }
    }

    // Factors A + shift I, where the shift is the least that rounding cannot make indefinite or, for a matrix that still is not positive,
    // Gershgorin's bound on its least eigenvalue.
    private static void Factor(int n, double[] a, double* r, HostParallel threads)
    {
        double shift = 4 * n * Float64Gemm.Epsilon;
        if (TryFactor(n, a, shift, r, threads)) return;
        shift += Math.Max(0, -GershgorinLeast(n, a));
        if (TryFactor(n, a, shift, r, threads)) return;
        throw new RunFailedException($"The Cholesky factorisation of a shifted matrix of order {n} failed.");
    }

    private static double GershgorinLeast(int n, double[] a)
    {
        double least = double.PositiveInfinity;
        for (int i = 0; i < n; i++)
        {
            double bound = a[i * n + i];
            for (int j = 0; j < n; j++)
                if (j != i) bound -= Math.Abs(a[i * n + j]);
            least = Math.Min(least, bound);
        }

        return least;
    }

    // A + shift I = sum_t r_t r_t^T, each r_t in A's own coordinates, by the largest diagonal element left; false where that is not positive.
    private static bool TryFactor(int n, double[] a, double shift, double* r, HostParallel threads)
    {
        const int Slice = 256; // columns per task
        double[] diagonal = new double[n];
        bool[] isDone = new bool[n];
        for (int i = 0; i < n; i++) diagonal[i] = a[i * n + i] + shift;
        for (int t = 0; t < n; t++)
        {
            int pivot = -1;
            for (int i = 0; i < n; i++)
                if (!isDone[i] && (pivot < 0 || diagonal[i] > diagonal[pivot])) pivot = i;
            if (!(diagonal[pivot] > 0)) return false;
            isDone[pivot] = true;
            double root = Math.Sqrt(diagonal[pivot]);
            double* row = r + (long)t * n;
            int step = t;
            void Columns(int slice)
            {
                int first = slice * Slice, end = Math.Min(n, first + Slice);
                for (int j = first; j < end; j++) row[j] = a[pivot * n + j];
                int s = 0;
                for (; s <= step - 4; s += 4) SubtractFour(end - first, r + (long)s * n + pivot, r + (long)s * n + first, n, row + first);
                for (; s < step; s++) Subtract(end - first, r[(long)s * n + pivot], r + (long)s * n + first, row + first);
                for (int j = first; j < end; j++) row[j] = isDone[j] ? 0 : row[j] / root;
            }

            threads.Run((n + Slice - 1) / Slice, Columns);
            row[pivot] = root;
            for (int j = 0; j < n; j++) diagonal[j] -= row[j] * row[j];
        }

        return true;
    }

    // y <- y - sum of four rows, each times its own element at the pivot
    private static void SubtractFour(int n, double* pivots, double* x, long stride, double* y)
    {
        double f0 = -pivots[0], f1 = -pivots[stride], f2 = -pivots[2 * stride], f3 = -pivots[3 * stride];
        double* x1 = x + stride, x2 = x1 + stride, x3 = x2 + stride;
        int i = 0;
        for (; i <= n - 8; i += 8)
        {
            Vector512<double> sum = Vector512.MultiplyAddEstimate(Vector512.Create(f0), Vector512.Load(x + i), Vector512.Load(y + i));
            sum = Vector512.MultiplyAddEstimate(Vector512.Create(f1), Vector512.Load(x1 + i), sum);
            sum = Vector512.MultiplyAddEstimate(Vector512.Create(f2), Vector512.Load(x2 + i), sum);
            Vector512.MultiplyAddEstimate(Vector512.Create(f3), Vector512.Load(x3 + i), sum).Store(y + i);
        }

        for (; i < n; i++) y[i] += f0 * x[i] + f1 * x1[i] + f2 * x2[i] + f3 * x3[i];
    }

    private static void Subtract(int n, double factor, double* x, double* y)
    {
        for (int i = 0; i < n; i++) y[i] -= factor * x[i];
    }
}
