using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// One-sided Jacobi rotations (Hestenes 1958) of the rows of a matrix [n, n] until every pair is orthogonal. Rotations are self-scaling (Anda and
/// Park, SIAM J. Matrix Anal. 15, 1994): a row is scales[i] times what is stored, so that a rotation costs one multiply-add per element. Two rows are
/// rotated against two others at a time: the four rotations are computed from the inner products, then each row is read and written once.
/// </summary>
internal sealed unsafe class OneSidedJacobi
{
    /// <summary>Rows per block, even: two blocks of n = 512 take 128 KiB of a level-2 cache.</summary>
    private const int BlockRows = 16;

    private const int MaxSweeps = 60;

    /// <summary>A smaller scale is multiplied into its row; a visit to a block shrinks scales by 2^-16 at the most.</summary>
    private const double LeastScale = 1e-60;

    private readonly int n;
    private readonly double* rows;
    private readonly double[] squares;
    private readonly double[] scales;
    private readonly HostParallel threads;
    private readonly double tolerance;

    /// <summary>
    /// Works on <paramref name="rows"/> [n, n], pinned, in place; <paramref name="squares"/> [n] receives the rows' squared lengths.
    /// </summary>
    public OneSidedJacobi(int n, double* rows, double[] squares, HostParallel threads)
    {
        this.n = n;
        this.rows = rows;
        this.squares = squares;
        this.threads = threads;
        scales = new double[n];
        tolerance = Math.Sqrt(n) * Float64Gemm.Epsilon;
    }

    /// <summary>
    /// Sweeps over all pairs of rows, first within each block, then block against block in the rounds of a tournament, whose pairs of blocks are
    /// disjoint and run in parallel. Ends with a sweep in which |x . y| was at most sqrt(n) eps |x| |y| for every pair. The result does not depend on
    /// the assignment of blocks to threads.
    /// </summary>
    public void Orthogonalise()
    {
        int blocks = (n + BlockRows - 1) / BlockRows;
        int players = blocks + (blocks & 1);
        bool[] hasRotated = new bool[blocks];
        Array.Fill(scales, 1);
        for (int sweep = 0; sweep < MaxSweeps; sweep++)
        {
            Array.Clear(hasRotated);
            threads.Run(blocks, block =>
            {
                for (int i = FirstRow(block); i < EndRow(block); i++) Settle(i);
                hasRotated[block] |= RotateWithin(block);
            });
            for (int round = 0; round < players - 1; round++)
            {
                int turn = round;
                threads.Run(players / 2, table =>
                {
                    // Circle method: player 0 stays, the others move on by one place a round.
                    int one = table == 0 ? 0 : 1 + (turn + table) % (players - 1);
                    int other = 1 + (turn + players - 1 - table) % (players - 1);
                    if (one < blocks && other < blocks) hasRotated[table] |= RotateBetween(Math.Min(one, other), Math.Max(one, other));
                });
            }

            if (!hasRotated.Contains(true)) return;
        }

        throw new RunFailedException($"Jacobi rotations of a matrix of order {n} did not converge in {MaxSweeps} sweeps.");
    }

    private static int FirstRow(int block) => block * BlockRows;

    private int EndRow(int block) => Math.Min(n, (block + 1) * BlockRows);

    private double* Row(int index) => rows + (long)index * n;

    // Multiplies the scale into the row and recomputes its squared length.
    private void Settle(int index)
    {
        double* x = Row(index);
        for (int j = 0; j < n; j++) x[j] *= scales[index];
        scales[index] = 1;
        squares[index] = Dot(x, x);
    }

    private void SettleSmall(int block)
    {
        for (int i = FirstRow(block); i < EndRow(block); i++)
            if (scales[i] < LeastScale) Settle(i);
    }

    private bool RotateWithin(int block)
    {
        bool hasRotated = false;
        for (int p = FirstRow(block); p < EndRow(block); p++)
            for (int q = p + 1; q < EndRow(block); q++) hasRotated |= RotatePair(p, q);
        return hasRotated;
    }

    private bool RotateBetween(int one, int other)
    {
        bool hasRotated = false;
        SettleSmall(one);
        SettleSmall(other);
        for (int p = FirstRow(one); p < EndRow(one); p += 2) // all of the lower block's rows exist, an even number
        {
            int q = FirstRow(other);
            for (; q < EndRow(other) - 1; q += 2) hasRotated |= RotateTwoByTwo(p, q);
            if (q < EndRow(other)) hasRotated |= RotatePair(p, q) | RotatePair(p + 1, q);
        }

        return hasRotated;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool RotatePair(int p, int q)
    {
        double* x = Row(p), y = Row(q);
        Turn turn = Decide(p, q, Dot(x, y) * scales[p] * scales[q]);
        if (turn.IsNone) return false;
        for (int i = 0; i < n; i++) (x[i], y[i]) = turn.Apply(x[i], y[i]);
        return true;
    }

    // Rows p, p + 1 against q, q + 1: the turns (p, q) and (p + 1, q + 1), then (p, q + 1) and (p + 1, q).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool RotateTwoByTwo(int p, int q)
    {
        double* x1 = Row(p), x2 = Row(p + 1), y1 = Row(q), y2 = Row(q + 1);
        Vector512<double> xx = default, yy = default, s11 = default, s12 = default, s21 = default, s22 = default;
        int i = 0;
        for (; i <= n - 8; i += 8)
        {
            Vector512<double> u1 = Vector512.Load(x1 + i), u2 = Vector512.Load(x2 + i), v1 = Vector512.Load(y1 + i), v2 = Vector512.Load(y2 + i);
            xx = Vector512.MultiplyAddEstimate(u1, u2, xx);
            yy = Vector512.MultiplyAddEstimate(v1, v2, yy);
            s11 = Vector512.MultiplyAddEstimate(u1, v1, s11);
            s12 = Vector512.MultiplyAddEstimate(u1, v2, s12);
            s21 = Vector512.MultiplyAddEstimate(u2, v1, s21);
            s22 = Vector512.MultiplyAddEstimate(u2, v2, s22);
        }

        double x1x2 = Vector512.Sum(xx), y1y2 = Vector512.Sum(yy);
        double x1y1 = Vector512.Sum(s11), x1y2 = Vector512.Sum(s12), x2y1 = Vector512.Sum(s21), x2y2 = Vector512.Sum(s22);
        for (; i < n; i++)
        {
            x1x2 += x1[i] * x2[i];
            y1y2 += y1[i] * y2[i];
            x1y1 += x1[i] * y1[i];
            x1y2 += x1[i] * y2[i];
            x2y1 += x2[i] * y1[i];
            x2y2 += x2[i] * y2[i];
        }

        double c1 = scales[p], c2 = scales[p + 1], d1 = scales[q], d2 = scales[q + 1];
        x1x2 *= c1 * c2;
        y1y2 *= d1 * d2;
        x1y2 *= c1 * d2;
        x2y1 *= c2 * d1;

        Turn first = Decide(p, q, x1y1 * c1 * d1);
        (x1x2, x2y1) = (first.Cosine * (x1x2 - first.Tangent * x2y1), first.Cosine * (x2y1 + first.Tangent * x1x2));
        (x1y2, y1y2) = (first.Cosine * (x1y2 - first.Tangent * y1y2), first.Cosine * (y1y2 + first.Tangent * x1y2));
        Turn second = Decide(p + 1, q + 1, x2y2 * c2 * d2);
        x1y2 = second.Cosine * (x1y2 + second.Tangent * x1x2);
        x2y1 = second.Cosine * (x2y1 - second.Tangent * y1y2);
        Turn third = Decide(p, q + 1, x1y2), fourth = Decide(p + 1, q, x2y1);
        if (first.IsNone && second.IsNone && third.IsNone && fourth.IsNone) return false;

        for (i = 0; i <= n - 8; i += 8)
        {
            Vector512<double> u1 = Vector512.Load(x1 + i), u2 = Vector512.Load(x2 + i), v1 = Vector512.Load(y1 + i), v2 = Vector512.Load(y2 + i);
            (u1, v1) = first.Apply(u1, v1);
            (u2, v2) = second.Apply(u2, v2);
            (u1, v2) = third.Apply(u1, v2);
            (u2, v1) = fourth.Apply(u2, v1);
            u1.Store(x1 + i);
            u2.Store(x2 + i);
            v1.Store(y1 + i);
            v2.Store(y2 + i);
        }

        for (; i < n; i++)
        {
            (x1[i], y1[i]) = first.Apply(x1[i], y1[i]);
            (x2[i], y2[i]) = second.Apply(x2[i], y2[i]);
            (x1[i], y2[i]) = third.Apply(x1[i], y2[i]);
            (x2[i], y1[i]) = fourth.Apply(x2[i], y1[i]);
        }

        return true;
    }

    // The rotation that makes rows p and q, whose inner product is given, orthogonal; none if they already are. Updates their scales and squared
    // lengths.
    private Turn Decide(int p, int q, double product)
    {
        if (!(Math.Abs(product) > tolerance * Math.Sqrt(squares[p]) * Math.Sqrt(squares[q]))) return Turn.None;
        double zeta = (squares[q] - squares[p]) / (2 * product);
        double tangent = (zeta < 0 ? -1 : 1) / (Math.Abs(zeta) + Math.Sqrt(1 + zeta * zeta));
        double cosine = 1 / Math.Sqrt(1 + tangent * tangent);
        double ratio = scales[q] / scales[p];
        scales[p] *= cosine;
        scales[q] *= cosine;
        squares[p] = Math.Max(0, squares[p] - tangent * product);
        squares[q] = Math.Max(0, squares[q] + tangent * product);
        return new Turn(tangent * ratio, tangent / ratio, tangent, cosine);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Dot(double* x, double* y)
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

    /// <summary>A rotation of two rows: of the stored numbers (x - A y, y + B x), of the scaled rows cosine (x - tangent y, y + tangent x).</summary>
    private readonly struct Turn(double a, double b, double tangent, double cosine)
    {
        public readonly double A = a, B = b, Tangent = tangent, Cosine = cosine;

        public static Turn None => new(0, 0, 0, 1);

        public bool IsNone => Tangent == 0;

        public (double X, double Y) Apply(double x, double y) => (x - A * y, y + B * x);

        public (Vector512<double> X, Vector512<double> Y) Apply(Vector512<double> x, Vector512<double> y) =>
            (Vector512.MultiplyAddEstimate(Vector512.Create(-A), y, x), Vector512.MultiplyAddEstimate(Vector512.Create(B), x, y));
    }
}
