namespace GpuSpectralRnn.Numerics;

/// <summary>A dense row-major matrix of doubles, for the linear algebra of compression.</summary>
/// <param name="rows">Number of rows, zero or more.</param>
/// <param name="columns">Number of columns, zero or more.</param>
public sealed class Matrix(int rows, int columns)
{
    /// <summary>Number of rows.</summary>
    public int Rows { get; } = rows;

    /// <summary>Number of columns.</summary>
    public int Columns { get; } = columns;

    /// <summary>The elements, row by row.</summary>
    public double[] Data { get; } = new double[Extents.Product($"A {rows} x {columns} matrix", "take fewer units", rows, columns)];

    /// <summary>The element in a row and a column, both counted from zero.</summary>
    public ref double this[int row, int column] => ref Data[row * Columns + column];

    /// <summary>One row.</summary>
    public Span<double> Row(int row) => Data.AsSpan(row * Columns, Columns);

    /// <summary>Copies elements given row by row.</summary>
    /// <exception cref="ArgumentException">The number of elements is not rows x columns.</exception>
    public static Matrix From(int rows, int columns, ReadOnlySpan<double> elements)
    {
        Matrix result = new(rows, columns);
        if (elements.Length != result.Data.Length)
            throw new ArgumentException($"A {rows} x {columns} matrix has {result.Data.Length} elements, not {elements.Length}.", nameof(elements));
        elements.CopyTo(result.Data);
        return result;
    }

    /// <summary>Widens elements given row by row, for example a weight matrix.</summary>
    /// <exception cref="ArgumentException">The number of elements is not rows x columns.</exception>
    public static Matrix From(int rows, int columns, ReadOnlySpan<float> elements)
    {
        Matrix result = new(rows, columns);
        if (elements.Length != result.Data.Length)
            throw new ArgumentException($"A {rows} x {columns} matrix has {result.Data.Length} elements, not {elements.Length}.", nameof(elements));
        for (int i = 0; i < elements.Length; i++) result.Data[i] = elements[i];
        return result;
    }

    /// <summary>The identity matrix.</summary>
    public static Matrix Identity(int order)
    {
        Matrix result = new(order, order);
        for (int i = 0; i < order; i++) result[i, i] = 1;
        return result;
    }

    /// <summary>The blocks along the diagonal, zeros elsewhere.</summary>
    public static Matrix BlockDiagonal(IReadOnlyList<Matrix> blocks)
    {
        Matrix result = new(blocks.Sum(block => block.Rows), blocks.Sum(block => block.Columns));
        int row = 0, column = 0;
        foreach (Matrix block in blocks)
        {
            for (int i = 0; i < block.Rows; i++) block.Row(i).CopyTo(result.Row(row + i)[column..]);
            (row, column) = (row + block.Rows, column + block.Columns);
        }

        return result;
    }

    /// <summary>A B.</summary>
    public static Matrix operator *(Matrix a, Matrix b) => Product(a, b);

    /// <summary>A + B.</summary>
    public static Matrix operator +(Matrix a, Matrix b) => Combine(1, a, 1, b);

    /// <summary>A - B.</summary>
    public static Matrix operator -(Matrix a, Matrix b) => Combine(1, a, -1, b);

    /// <summary>factor A.</summary>
    public static Matrix operator *(double factor, Matrix a) => Combine(factor, a, 0, a);

    /// <summary>op(A) op(B) with op the transpose where requested, else the identity.</summary>
    /// <exception cref="ArgumentException">The inner extents differ.</exception>
    public static unsafe Matrix Product(Matrix a, Matrix b, bool transposeA = false, bool transposeB = false)
    {
        (int rows, int inner) = transposeA ? (a.Columns, a.Rows) : (a.Rows, a.Columns);
        (int innerB, int columns) = transposeB ? (b.Columns, b.Rows) : (b.Rows, b.Columns);
        if (inner != innerB) throw new ArgumentException($"A {rows} x {inner} matrix cannot be multiplied by a {innerB} x {columns} one.", nameof(b));
        Matrix result = new(rows, columns);
        fixed (double* x = a.Data, y = b.Data, z = result.Data)
        {
            Float64View left = new(x, a.Rows, a.Columns, a.Columns), right = new(y, b.Rows, b.Columns, b.Columns);
            Float64View product = new(z, rows, columns, columns);
            Float64Gemm.Accumulate(
                HostParallel.Shared, 1, transposeA ? left.Transposed : left, transposeB ? right.Transposed : right, product);
        }

        return result;
    }

    /// <summary>Tr(A B^T), the sum of the element-wise products; for a symmetric B it is Tr(A B).</summary>
    /// <exception cref="ArgumentException">The extents differ.</exception>
    public static double Inner(Matrix a, Matrix b)
    {
        SameExtents(a, b);
        double sum = 0;
        for (int i = 0; i < a.Rows; i++)
        {
            double rowSum = 0;
            for (int j = 0; j < a.Columns; j++) rowSum += a[i, j] * b[i, j];
            sum += rowSum;
        }

        return sum;
    }

    /// <summary>The trace.</summary>
    public double Trace()
    {
        double sum = 0;
        for (int i = 0; i < Math.Min(Rows, Columns); i++) sum += this[i, i];
        return sum;
    }

    /// <summary>The Frobenius norm.</summary>
    public double FrobeniusNorm() => Math.Sqrt(Inner(this, this));

    /// <summary>The transpose, as a copy.</summary>
    public Matrix Transpose()
    {
        Matrix result = new(Columns, Rows);
        for (int i = 0; i < Rows; i++)
            for (int j = 0; j < Columns; j++) result[j, i] = this[i, j];
        return result;
    }

    /// <summary>A copy.</summary>
    public Matrix Clone() => From(Rows, Columns, Data);

    /// <summary>The rows of the given numbers, in that order.</summary>
    public Matrix SelectRows(ReadOnlySpan<int> indices)
    {
        Matrix result = new(indices.Length, Columns);
        for (int i = 0; i < indices.Length; i++) Row(indices[i]).CopyTo(result.Row(i));
        return result;
    }

    /// <summary>The columns of the given numbers, in that order.</summary>
    public Matrix SelectColumns(ReadOnlySpan<int> indices)
    {
        Matrix result = new(Rows, indices.Length);
        for (int i = 0; i < Rows; i++)
            for (int j = 0; j < indices.Length; j++) result[i, j] = this[i, indices[j]];
        return result;
    }

    /// <summary>The principal submatrix: rows and columns of the given numbers, in that order.</summary>
    public Matrix SelectPrincipal(ReadOnlySpan<int> indices)
    {
        Matrix result = new(indices.Length, indices.Length);
        for (int i = 0; i < indices.Length; i++)
            for (int j = 0; j < indices.Length; j++) result[i, j] = this[indices[i], indices[j]];
        return result;
    }

    /// <summary>All elements as floats, row by row.</summary>
    public float[] ToSingle() => Array.ConvertAll(Data, x => (float)x);

    /// <summary>Whether every element is finite.</summary>
    public bool IsFinite() => Array.TrueForAll(Data, double.IsFinite);

    /// <summary>For example <c>Matrix 128 x 42</c>.</summary>
    public override string ToString() => $"Matrix {Rows} x {Columns}";

    private static Matrix Combine(double alpha, Matrix a, double beta, Matrix b)
    {
        SameExtents(a, b);
        Matrix result = new(a.Rows, a.Columns);
        for (int i = 0; i < result.Data.Length; i++) result.Data[i] = alpha * a.Data[i] + beta * b.Data[i];
        return result;
    }

    private static void SameExtents(Matrix a, Matrix b)
    {
        if (a.Rows != b.Rows || a.Columns != b.Columns) throw new ArgumentException($"{a} and {b} have different extents.", nameof(b));
    }
}
