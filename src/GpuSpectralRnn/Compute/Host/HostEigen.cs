using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Symmetric eigendecomposition by one-sided Jacobi rotations after a pivoted Cholesky factorisation (Veselic and Hari, Numer. Math. 56, 1989; Drmac and Veselic, SIAM J. Matrix Anal.
/// 29, 2008): A + shift I = sum_i r_i r_i^T with the rows r_i of the factor; rotating pairs of rows until all are orthogonal leaves that sum unchanged, so in the end
/// r_i = sqrt(value_i + shift) v_i, and no vectors need to be accumulated. Backward stable: the error is that of a perturbation of a few n eps ||A||, as LAPACK's is.
/// </summary>
internal static unsafe class HostEigen
{
    /// <summary>Rows per block: two blocks of n = 512 fill a quarter of a level-2 cache of 512 KiB.</summary>
    private const int BlockRows = 16;

    private const int MaxSweeps = 60;

    /// <summary>2^-52, the distance from 1 to the next double.</summary>
    private const double Epsilon = 2.220446049250313e-16;

    /// <summary>See <see cref="ISpectralOps.SymmetricEigen"/>.</summary>
    public static void Decompose(int n, ReadOnlySpan<double> matrix, Span<double> values, Span<double> vectors, int threads)
    {
        if (n < 0 || matrix.Length != n * n || values.Length != n || vectors.Length != n * n)
            throw new ArgumentException($"Order {n} does not fit {matrix.Length} elements, {values.Length} values and {vectors.Length} elements of vectors.", nameof(n));
        if (n == 0) return;

        // Scaled by a power of two (exactly) to about 1, so that squares neither overflow nor vanish.
        double largest = 0;
        foreach (double x in matrix)
        {
            if (!double.IsFinite(x)) throw new RunFailedException($"A matrix of order {n} holds {x}: it has no eigenvalues.");
            largest = Math.Max(largest, Math.Abs(x));
        }

        int exponent = largest == 0 ? 0 : Math.ILogB(largest);
        double[] symmetric = new double[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) symmetric[i * n + j] = 0.5 * Math.ScaleB(matrix[i * n + j], -exponent) + 0.5 * Math.ScaleB(matrix[j * n + i], -exponent);

        ParallelOptions options = new() { MaxDegreeOfParallelism = threads };

        double[] rows = new double[n * n];
        double[] squares = new double[n];
        double shift;
        fixed (double* r = rows, norms = squares)
        {
            shift = Factor(n, symmetric, r, options);
            Orthogonalise(n, r, norms, options);
        }

        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => squares[i])];
        for (int j = 0; j < n; j++)
        {
            double norm = Math.Sqrt(squares[order[j]]);
            values[j] = Math.ScaleB(squares[order[j]] - shift, exponent);
            for (int i = 0; i < n; i++) vectors[i * n + j] = rows[order[j] * n + i] / norm;
        }
    }

    // Factors A + shift I and returns the shift: the least that rounding cannot make indefinite or, for a matrix that still is not positive, Gershgorin's bound on its least eigenvalue.
    private static double Factor(int n, double[] a, double* r, ParallelOptions options)
    {
        double shift = 4 * n * Epsilon;
        if (TryFactor(n, a, shift, r, options)) return shift;
        shift += Math.Max(0, -GershgorinLeast(n, a));
        if (TryFactor(n, a, shift, r, options)) return shift;
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
    private static bool TryFactor(int n, double[] a, double shift, double* r, ParallelOptions options)
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
                for (int s = 0; s < step; s++) Subtract(end - first, r[(long)s * n + pivot], r + (long)s * n + first, row + first);
                for (int j = first; j < end; j++) row[j] = isDone[j] ? 0 : row[j] / root;
            }

            if (n > 2 * Slice) Parallel.For(0, (n + Slice - 1) / Slice, options, Columns);
            else for (int slice = 0; slice * Slice < n; slice++) Columns(slice);
            row[pivot] = root;
            for (int j = 0; j < n; j++) diagonal[j] -= row[j] * row[j];
        }

        return true;
    }

    // Sweeps of rotations over all pairs of rows: first within each block, then block against block in the rounds of a tournament, whose pairs of blocks are disjoint and run in parallel.
    private static void Orthogonalise(int n, double* r, double* norms, ParallelOptions options)
    {
        double tolerance = Math.Sqrt(n) * Epsilon;
        int blocks = (n + BlockRows - 1) / BlockRows;
        int players = blocks + (blocks & 1);
        int[] rotations = new int[Math.Max(blocks, 1)];
        for (int sweep = 0; sweep < MaxSweeps; sweep++)
        {
            Array.Clear(rotations);
            for (int i = 0; i < n; i++) norms[i] = Dot(n, r + (long)i * n, r + (long)i * n);
            For(blocks, options, block => rotations[block] += RotateBlocks(n, r, norms, block, block, tolerance));
            for (int round = 0; round < players - 1; round++)
            {
                int turn = round;
                For(players / 2, options, table =>
                {
                    // Circle method: player 0 stays, the others move on by one place a round.
                    int first = table == 0 ? 0 : 1 + (turn + table) % (players - 1);
                    int second = 1 + (turn + players - 1 - table) % (players - 1);
                    if (first < blocks && second < blocks)
                        rotations[table] += RotateBlocks(n, r, norms, Math.Min(first, second), Math.Max(first, second), tolerance);
                });
            }

            if (rotations.Sum() == 0) return;
        }

        throw new RunFailedException($"Jacobi rotations of a matrix of order {n} did not converge in {MaxSweeps} sweeps.");
    }

    private static void For(int count, ParallelOptions options, Action<int> body)
    {
        if (count > 1) Parallel.For(0, count, options, body);
        else if (count == 1) body(0);
    }

    private static int RotateBlocks(int n, double* r, double* norms, int first, int second, double tolerance)
    {
        int rotations = 0;
        int endFirst = Math.Min(n, (first + 1) * BlockRows), endSecond = Math.Min(n, (second + 1) * BlockRows);
        for (int p = first * BlockRows; p < endFirst; p++)
        {
            double* x = r + (long)p * n;
            for (int q = first == second ? p + 1 : second * BlockRows; q < endSecond; q++)
            {
                double* y = r + (long)q * n;
                double product = Dot(n, x, y);
                if (!(Math.Abs(product) > tolerance * Math.Sqrt(norms[p]) * Math.Sqrt(norms[q]))) continue;
                double zeta = (norms[q] - norms[p]) / (2 * product);
                double tangent = (zeta < 0 ? -1 : 1) / (Math.Abs(zeta) + Math.Sqrt(1 + zeta * zeta));
                double cosine = 1 / Math.Sqrt(1 + tangent * tangent);
                Rotate(n, cosine, cosine * tangent, x, y);
                norms[p] -= tangent * product;
                norms[q] += tangent * product;
                rotations++;
            }
        }

        return rotations;
    }

    private static double Dot(int n, double* x, double* y)
    {
        Vector512<double> s0 = default, s1 = default;
        int i = 0;
        for (; i <= n - 16; i += 16)
        {
            s0 = Vector512.MultiplyAddEstimate(Vector512.Load(x + i), Vector512.Load(y + i), s0);
            s1 = Vector512.MultiplyAddEstimate(Vector512.Load(x + i + 8), Vector512.Load(y + i + 8), s1);
        }

        double sum = Vector512.Sum(s0 + s1);
        for (; i < n; i++) sum += x[i] * y[i];
        return sum;
    }

    // (x, y) <- (c x - s y, s x + c y)
    private static void Rotate(int n, double c, double s, double* x, double* y)
    {
        Vector512<double> cosine = Vector512.Create(c), sine = Vector512.Create(s);
        int i = 0;
        for (; i <= n - 8; i += 8)
        {
            Vector512<double> a = Vector512.Load(x + i), b = Vector512.Load(y + i);
            (cosine * a - sine * b).Store(x + i);
            (sine * a + cosine * b).Store(y + i);
        }

        for (; i < n; i++)
        {
            double a = x[i], b = y[i];
            x[i] = c * a - s * b;
            y[i] = s * a + c * b;
        }
    }

    // y <- y - factor x
    private static void Subtract(int n, double factor, double* x, double* y)
    {
        Vector512<double> factors = Vector512.Create(-factor);
        int i = 0;
        for (; i <= n - 8; i += 8) Vector512.MultiplyAddEstimate(factors, Vector512.Load(x + i), Vector512.Load(y + i)).Store(y + i);
        for (; i < n; i++) y[i] -= factor * x[i];
    }
}
