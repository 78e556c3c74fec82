using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// The two largest eigenvalues of a symmetric matrix with their vectors: Householder reflections to tridiagonal form, bisection by Sturm's counts,
/// inverse iteration, and the vectors carried back (Golub and Van Loan, Matrix Computations, 4th ed., sections 8.3 and 8.4). For orders at which that
/// is cheaper than a search through a subspace.
/// </summary>
internal static class TridiagonalEigen
{
    private const int Bisections = 64, Iterations = 3;

    /// <summary>The largest residual ||B v - theta v|| over the largest |theta|.</summary>
    private const double Tolerance = 1e-12;

    /// <summary>The eigenvectors of the two largest eigenvalues of B [n, n], n 2 or more, as rows; null where a residual is too large.</summary>
    /// <param name="b">Symmetric and finite; not changed.</param>
    public static Matrix? TwoLargest(Matrix b)
    {
        int n = b.Rows;
        (double[] diagonal, double[] beside, Matrix reflectors, double[] factors) = Reduce(b);
        double norm = 0;
        for (int i = 0; i < n; i++) norm = Math.Max(norm, Math.Abs(diagonal[i]) + (i > 0 ? Math.Abs(beside[i - 1]) : 0)
            + (i < n - 1 ? Math.Abs(beside[i]) : 0));
        Matrix vectors = new(2, n);
        double[] image = new double[n];
        double largest = 0;
        for (int index = 0; index < 2; index++)
        {
            double theta = Bisect(diagonal, beside, norm, index);
            if (index == 0) largest = Math.Abs(theta);
            Span<double> x = vectors.Row(index);
            for (int i = 0; i < n; i++) x[i] = Philox.Uniform(1, (ulong)index, (ulong)i) - 0.5;
            for (int iteration = 0; iteration < Iterations; iteration++)
            {
                SolveShifted(diagonal, beside, theta, norm, x);
                for (int pass = 0; pass < 2 && index > 0; pass++) VectorOps.AddScaled(-VectorOps.Dot(vectors.Row(0), x), vectors.Row(0), x);
                double length = Math.Sqrt(VectorOps.Dot(x, x));
                for (int i = 0; i < n; i++) x[i] /= length;
            }
        }

        for (int index = 0; index < 2; index++)
        {
            Span<double> x = vectors.Row(index);
            for (int k = n - 3; k >= 0; k--)
            {
                Span<double> v = reflectors.Row(k)[(k + 1)..];
                VectorOps.AddScaled(-factors[k] * VectorOps.Dot(v, x[(k + 1)..]), v, x[(k + 1)..]);
            }

            double theta = 0, residual = 0;
            for (int i = 0; i < n; i++) theta += x[i] * (image[i] = VectorOps.Dot(b.Row(i), x));
            for (int i = 0; i < n; i++) residual += (image[i] - theta * x[i]) * (image[i] - theta * x[i]);
            if (!(Math.Sqrt(residual) <= Tolerance * largest)) return null;
        }

        return vectors;
    }

    // Q^T B Q = T with the diagonal and what is beside it; Q is the product of I - f_k v_k v_k^T, v_k in row k of the reflectors.
    private static (double[] Diagonal, double[] Beside, Matrix Reflectors, double[] Factors) Reduce(Matrix b)
    {
        int n = b.Rows;
        Matrix a = b.Clone(), reflectors = new(Math.Max(1, n - 2), n);
        (double[] diagonal, double[] beside, double[] factors, double[] w) =
            (new double[n], new double[n - 1], new double[Math.Max(1, n - 2)], new double[n]);
        for (int k = 0; k < n - 2; k++)
        {
            diagonal[k] = a[k, k];
            int rest = n - k - 1;
            Span<double> v = reflectors.Row(k)[(k + 1)..];
            a.Row(k)[(k + 1)..].CopyTo(v);
            double tail = VectorOps.Dot(v[1..], v[1..]);
            if (tail == 0)
            {
                beside[k] = v[0];
                v.Clear();
                continue;
            }

            double length = Math.Sqrt((v[0] * v[0]) + tail);
            beside[k] = v[0] > 0 ? -length : length;
            v[0] -= beside[k];
            double factor = factors[k] = 2 / ((v[0] * v[0]) + tail);

            // p = f A v, w = p - f/2 (p v) v, A <- A - v w^T - w v^T.
            Span<double> p = w.AsSpan(0, rest);
            for (int i = 0; i < rest; i++) p[i] = factor * VectorOps.Dot(a.Row(k + 1 + i)[(k + 1)..], v);
            VectorOps.AddScaled(-0.5 * factor * VectorOps.Dot(p, v), v, p);
            for (int i = 0; i < rest; i++)
            {
                Span<double> row = a.Row(k + 1 + i)[(k + 1)..];
                VectorOps.AddScaled(-v[i], p, row);
                VectorOps.AddScaled(-p[i], v, row);
            }
        }

        for (int k = Math.Max(0, n - 2); k < n; k++) diagonal[k] = a[k, k];
        beside[n - 2] = a[n - 2, n - 1];
        return (diagonal, beside, reflectors, factors);
    }

    // The eigenvalue of T that so many are larger than.
    private static double Bisect(double[] diagonal, double[] beside, double norm, int index)
    {
        (double low, double high) = (-norm, norm * (1 + 1e-15));
        for (int i = 0; i < Bisections && low < high; i++)
        {
            double middle = 0.5 * (low + high);
            if (CountAbove(diagonal, beside, norm, middle) > index) low = middle;
            else high = middle;
        }

        return 0.5 * (low + high);
    }

    // Sturm: as many eigenvalues lie above x as T - x I has positive pivots.
    private static int CountAbove(double[] diagonal, double[] beside, double norm, double x)
    {
        int count = 0;
        double pivot = 1;
        for (int i = 0; i < diagonal.Length; i++)
        {
            double square = i == 0 ? 0 : beside[i - 1] * beside[i - 1];
            pivot = diagonal[i] - x - (square / pivot);
            if (pivot == 0) pivot = -double.Epsilon - (norm * 1e-18);
            if (pivot > 0) count++;
        }

        return count;
    }

    // x <- (T - theta I)^-1 x by elimination with exchanges of neighbouring rows; pivots of zero are as good as small ones here.
    private static void SolveShifted(double[] diagonal, double[] beside, double theta, double norm, Span<double> x)
    {
        int n = diagonal.Length;
        double least = Math.Max(norm * 1e-16, double.Epsilon);
        double[] pivots = new double[n], first = new double[n], second = new double[n];
        (double d, double u) = (diagonal[0] - theta, beside.Length > 0 ? beside[0] : 0); // the row that is worked on
        for (int i = 0; i < n - 1; i++)
        {
            double below = beside[i], next = diagonal[i + 1] - theta, after = i + 1 < n - 1 ? beside[i + 1] : 0;
            if (Math.Abs(d) >= Math.Abs(below))
            {
                if (Math.Abs(d) < least) d = least;
                (pivots[i], first[i], second[i]) = (d, u, 0);
                double factor = below / d;
                x[i + 1] -= factor * x[i];
                (d, u) = (next - (factor * u), after);
            }
            else
            {
                (pivots[i], first[i], second[i]) = (below, next, after);
                double factor = d / below;
                (x[i], x[i + 1]) = (x[i + 1], x[i] - (factor * x[i + 1]));
                (d, u) = (u - (factor * next), -factor * after);
            }
        }

        pivots[n - 1] = Math.Abs(d) < least ? least : d;
        for (int i = n - 1; i >= 0; i--)
        {
            double sum = x[i];
            if (i + 1 < n) sum -= first[i] * x[i + 1];
            if (i + 2 < n) sum -= second[i] * x[i + 2];
            x[i] = sum / pivots[i];
        }
    }
}
