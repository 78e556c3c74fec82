namespace GpuSpectralRnn.Compute;

/// <content>Products, sums and rows of matrices and sequences.</content>
internal static partial class OperandChecks
{
    /// <summary>C = op(A) op(B): returns (M, N, K).</summary>
    public static (int M, int N, int K) Gemm(IBackend backend, in GemmOperands o)
    {
        (Tensor a, Tensor b, Tensor c) = (o.A, o.B, o.C);
        Float(backend, a);
        Float(backend, b);
        Float(backend, c);
        (int m, int k) = o.TransposeA ? (a.Shape.Columns, a.Shape.Rows) : (a.Shape.Rows, a.Shape.Columns);
        (int kOfB, int n) = o.TransposeB ? (b.Shape.Columns, b.Shape.Rows) : (b.Shape.Rows, b.Shape.Columns);
        if (k != kOfB) Fail($"op(A) is [{m}, {k}] and op(B) is [{kOfB}, {n}]; the inner extents must agree.", nameof(b));
        if (c.Shape.Rows != m || c.Shape.Columns != n) Fail($"C is {c.Shape}; op(A) op(B) is [{m}, {n}].", nameof(c));
        Apart(backend, c, a);
        Apart(backend, c, b);
        return (m, n, k);
    }

    /// <summary>y = x W^T + bias: returns (N, I, O).</summary>
    public static (int N, int I, int O) Linear(IBackend backend, LinearOperands operands)
    {
        (Tensor x, Tensor weights, Tensor? bias, Tensor y) = operands;
        Float(backend, x);
        Float(backend, y);
        (int n, int i, int o) = (x.Shape.Rows, x.Shape.Columns, y.Shape.Columns);
        Float(backend, weights, o, i);
        if (bias is not null) Float(backend, bias, o);
        if (y.Shape.Rows != n) Fail($"y has {y.Shape.Rows} rows and x has {n}; they must agree.", nameof(y));
        Apart(backend, y, x);
        Apart(backend, y, weights);
        if (bias is not null) Apart(backend, y, bias);
        return (n, i, o);
    }

    /// <summary>Backward of the linear layer: returns (N, I, O).</summary>
    public static (int N, int I, int O) LinearBackward(IBackend backend, in LinearBackwardOperands operands)
    {
        (Tensor x, Tensor weights, Tensor outputGradient, Tensor? inputGradient, Tensor weightGradient, Tensor? biasGradient) = operands;
        Float(backend, x);
        Float(backend, outputGradient);
        (int n, int i, int o) = (x.Shape.Rows, x.Shape.Columns, outputGradient.Shape.Columns);
        Float(backend, weights, o, i);
        Float(backend, weightGradient, o, i);
        if (biasGradient is not null) Float(backend, biasGradient, o);
        if (outputGradient.Shape.Rows != n)
            Fail($"The output gradient has {outputGradient.Shape.Rows} rows and x has {n}; they must agree.", nameof(outputGradient));
        Apart(backend, weightGradient, outputGradient);
        Apart(backend, weightGradient, x);
        if (biasGradient is not null) Apart(backend, biasGradient, outputGradient);
        if (inputGradient is null) return (n, i, o);
        Float(backend, inputGradient);
        if (inputGradient.Shape.Rows != n || inputGradient.Shape.Columns != i)
            Fail($"The input gradient is {inputGradient.Shape}; x is [{n}, {i}].", nameof(inputGradient));
        Apart(backend, inputGradient, outputGradient);
        Apart(backend, inputGradient, weights);
        Apart(backend, inputGradient, x);
        return (n, i, o);
    }

    /// <summary>Column sums: returns (M, N).</summary>
    public static (int M, int N) ColumnSums(IBackend backend, ColumnSumsOperands o)
    {
        (Tensor x, Tensor sums) = (o.X, o.Sums);
        Float(backend, x);
        Float(backend, sums, x.Shape.Columns);
        Apart(backend, sums, x);
        return (x.Shape.Rows, x.Shape.Columns);
    }

    /// <summary>Columns of one matrix and of another: returns the number of rows.</summary>
    public static int CopyColumns(IBackend backend, in CopyColumnsOperands operands)
    {
        (Tensor source, int from, Tensor destination, int to, int columns, _) = operands;
        Float(backend, source);
        Float(backend, destination);
        if (source.Shape.Rows != destination.Shape.Rows)
            Fail($"The source has {source.Shape.Rows} rows and the destination {destination.Shape.Rows}; they must agree.", nameof(destination));
        if (columns < 0 || from < 0 || from + columns > source.Shape.Columns)
            Fail($"Columns {from}..{from + columns} lie outside the source's {source.Shape.Columns}.", nameof(from));
        if (to < 0 || to + columns > destination.Shape.Columns)
            Fail($"Columns {to}..{to + columns} lie outside the destination's {destination.Shape.Columns}.", nameof(to));
        Apart(backend, destination, source);
        return source.Shape.Rows;
    }

    /// <summary>Columns times a number each: returns the rows and how many columns.</summary>
    public static (int M, int N) ScaleColumns(IBackend backend, ColumnScaling o)
    {
        (Tensor source, Tensor scales, Tensor destination) = (o.Source, o.Scales, o.Destination);
        (int m, int n) = SomeColumns(backend, source, o.From, scales);
        Float(backend, destination, m, source.Shape.Columns);
        if (destination.Offset != source.Offset) Apart(backend, destination, source);
        Apart(backend, destination, scales);
        return (m, n);
    }

    /// <summary>Inner products of columns: returns the rows and how many columns.</summary>
    public static (int M, int N) ColumnDots(IBackend backend, ColumnProducts o)
    {
        (Tensor a, Tensor b, Tensor dots) = (o.A, o.B, o.Dots);
        (int m, int n) = SomeColumns(backend, a, o.From, dots);
        Float(backend, b, m, a.Shape.Columns);
        Apart(backend, dots, a);
        Apart(backend, dots, b);
        return (m, n);
    }

    /// <summary>Rows that belong to units: returns how many units, and the columns.</summary>
    public static (int Units, int Columns) RowGroups(IBackend backend, RowGroups o)
    {
        Float(backend, o.Weights);
        int units = (int)Float(backend, o.Units), rows = o.Weights.Shape.Rows;
        bool fits = o.Blocks >= 1 && o.First >= 0 && (o.Blocks == 1 || o.First + units <= o.Stride)
            && ((long)(o.Blocks - 1) * o.Stride) + o.First + units <= rows;
        if (!fits) Fail($"{o.Blocks} blocks of {units} rows from row {o.First}, {o.Stride} apart, do not fit {o.Weights.Shape}.", nameof(o.Weights));
        Apart(backend, o.Units, o.Weights);
        return (units, o.Weights.Shape.Columns);
    }

    /// <summary>A sequence [T, B, H] and one step of it [B, H], as the mean over steps and its backward have them: returns (T, B, H).</summary>
    public static (int T, int B, int H) MeanOverSteps(IBackend backend, MeanOverStepsOperands operands)
    {
        (Tensor sequence, Tensor mean, Tensor? lengths) = operands;
        (int t, int b, int h) = Sequence(backend, sequence, lengths);
        if (t == 0) Fail($"A mean needs one step or more: {sequence.Shape}.", nameof(sequence));
        Float(backend, mean, b, h);
        Apart(backend, sequence, mean);
        return (t, b, h);
    }

    /// <summary>A sequence [T, B, H] and its last valid steps [B, W], W of H or more: returns (T, B, H).</summary>
    public static (int T, int B, int H) LastSteps(IBackend backend, LastStepsOperands operands)
    {
        (Tensor sequence, Tensor lengths, Tensor last) = operands;
        ArgumentNullException.ThrowIfNull(lengths);
        (int t, int b, int h) = Sequence(backend, sequence, lengths);
        Float(backend, last);
        if (last.Shape.Rank != 2 || last.Shape[0] != b || last.Shape[1] < h)
            Fail($"The last steps are {last.Shape}; they must be [{b}, {h} or more].", nameof(last));
        Apart(backend, sequence, last);
        return (t, b, h);
    }

    /// <summary>A sequence [T, B, H] and its lengths: returns (T, B, H).</summary>
    public static (int T, int B, int H) ClearPadding(IBackend backend, ClearPaddingOperands operands)
    {
        (Tensor x, Tensor lengths) = operands;
        ArgumentNullException.ThrowIfNull(lengths);
        return Sequence(backend, x, lengths);
    }

    /// <summary>Weights of steps [T], and of every step of sequences [T, B]: returns (T, B).</summary>
    public static (int T, int B) WeighSteps(IBackend backend, WeighStepsOperands operands)
    {
        (Tensor stepWeights, Tensor lengths, Tensor weights) = operands;
        Float(backend, weights);
        (int t, int b) = (weights.Shape.Rows, weights.Shape.Columns);
        Float(backend, stepWeights, t);
        Lengths(backend, lengths, b);
        Apart(backend, weights, stepWeights);
        return (t, b);
    }

    /// <summary>Numbers and the sums of their squares: returns the count.</summary>
    public static long AddSquares(IBackend backend, AddSquaresOperands operands)
    {
        (Tensor x, Tensor sums) = operands;
        Float(backend, x);
        Float(backend, sums);
        if (x.Count != sums.Count) Fail($"The sums are {sums.Shape}; x is {x.Shape}.", nameof(sums));
        Apart(backend, sums, x);
        return x.Count;
    }

    // Columns of a matrix and a number for each: returns the rows and how many columns.
    private static (int M, int N) SomeColumns(IBackend backend, Tensor matrix, int from, Tensor perColumn)
    {
        Float(backend, matrix);
        Float(backend, perColumn);
        if (from < 0 || from + perColumn.Count > matrix.Shape.Columns)
            Fail($"Columns {from}..{from + perColumn.Count} lie outside the matrix's {matrix.Shape.Columns}.", nameof(from));
        return (matrix.Shape.Rows, (int)perColumn.Count);
    }
}
