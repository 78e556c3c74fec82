using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute;

/// <summary>
/// What every operation asks of its operands, once for all backends: alive, on this backend, of the right type and shape, and apart where they must
/// be. Each method throws
/// <see cref="ArgumentException"/>, <see cref="ObjectDisposedException"/> or <see cref="InvalidOperationException"/> and names the operand; it
/// returns the extents.
/// </summary>
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

    /// <summary>The proximal step of a group lasso: returns the number of groups.</summary>
    public static int ShrinkGroups(IBackend backend, in GroupShrink o)
    {
        int groups = (int)Float(backend, o.Squares);
        Float(backend, o.Before, groups);
        Float(backend, o.Factors, groups);
        foreach (Tensor number in (ReadOnlySpan<Tensor>)[o.Penalty, o.Scale, o.Count]) Float(backend, number, 1);
        foreach (Tensor written in (ReadOnlySpan<Tensor>)[o.Factors, o.Count])
            foreach (Tensor read in (ReadOnlySpan<Tensor>)[o.Squares, o.Before, o.Penalty, o.Scale]) Apart(backend, written, read);
        Apart(backend, o.Factors, o.Count);
        return groups;
    }

    /// <summary>A fill with uniform numbers: returns the count.</summary>
    public static long Uniform(IBackend backend, UniformOperands o)
    {
        if (!(o.Low < o.High)) throw new ArgumentOutOfRangeException(nameof(o.High), o.High, $"A uniform range ends above its start {o.Low}.");
        return Float(backend, o.Destination);
    }

    /// <summary>A fill with normal numbers: returns the count.</summary>
    public static long Normal(IBackend backend, NormalOperands o)
    {
        if (!(o.Deviation >= 0)) throw new ArgumentOutOfRangeException(nameof(o.Deviation), o.Deviation, "A standard deviation is zero or more.");
        Window(o.Numbers);
        return Float(backend, o.Destination);
    }

    private static void Window(NumberWindow numbers)
    {
        if (numbers.First < 0 || numbers.Period < 0 || numbers.Gap < 0)
            throw new ArgumentOutOfRangeException(nameof(numbers), numbers, "Random numbers count from 0 and upwards.");
    }

    /// <summary>Dropout: returns the count.</summary>
    public static long Dropout(IBackend backend, DropoutOperands o)
    {
        if (!(o.Rate >= 0 && o.Rate < 1)) throw new ArgumentOutOfRangeException(nameof(o.Rate), o.Rate, "A share of zeros is one of 0 to below 1.");
        (Tensor x, Tensor y) = (o.X, o.Y);
        Float(backend, x);
        Float(backend, y);
        if (x.Count != y.Count) Fail($"y is {y.Shape}; x is {x.Shape}.", nameof(y));
        if (x.Offset != y.Offset) Apart(backend, y, x);
        Window(o.Numbers);
        return x.Count;
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

    /// <summary>Logits and as many normal numbers: returns (N, C).</summary>
    public static (int N, int C) FisherDirections(IBackend backend, FisherOperands operands)
    {
        (Tensor logits, Tensor normals) = operands;
        Float(backend, logits);
        (int n, int c) = (logits.Shape.Rows, logits.Shape.Columns);
        if (c < 1) Fail($"The logits {logits.Shape} have no classes.", nameof(logits));
        Float(backend, normals, n, c);
        Apart(backend, normals, logits);
        return (n, c);
    }

    /// <summary>A sequence [T, B, m] of so many steps: returns (B, m).</summary>
    public static (int B, int M) StepSquares(IBackend backend, Tensor sequence, int steps)
    {
        (int t, int b, int m) = Sequence(backend, sequence, null);
        if (t != steps) Fail($"{sequence} has {t} steps, the sums are for {steps}.", nameof(sequence));
        return (b, m);
    }

    /// <summary>Tokens [N], a table [V, E] and rows of it [N, E]: returns (N, V, E).</summary>
    public static (int N, int V, int E) Embedding(IBackend backend, EmbeddingOperands operands)
    {
        (Tensor tokens, Tensor table, Tensor rows) = operands;
        Typed(backend, tokens, ElementType.Int32);
        Float(backend, table);
        Float(backend, rows);
        (int n, int v, int e) = (checked((int)tokens.Count), table.Shape.Rows, table.Shape.Columns);
        if (rows.Shape.Rows != n || rows.Shape.Columns != e) Fail($"The embedded tokens are {rows.Shape}; they must be [{n}, {e}].", nameof(rows));
        Apart(backend, rows, table);
        return (n, v, e);
    }

    /// <summary>Softmax cross-entropy: returns (N, C).</summary>
    public static (int N, int C) SoftmaxCrossEntropy(IBackend backend, in LossOperands o)
    {
        (Tensor logits, Tensor labels, Tensor? gradient) = (o.Outputs, o.Targets, o.Gradient);
        Float(backend, logits);
        (int n, int c) = (logits.Shape.Rows, logits.Shape.Columns);
        if (c < 1) Fail($"The logits {logits.Shape} have no classes.", nameof(logits));
        Typed(backend, labels, ElementType.Int32);
        if (labels.Count != n) Fail($"There are {labels.Count} labels for {n} rows of logits.", nameof(labels));
        if (gradient is not null) SameOrApart(backend, gradient, logits);
        return (n, c);
    }

    /// <summary>Divergence of two softmaxes: returns (N, C).</summary>
    public static (int N, int C) SoftmaxDivergence(IBackend backend, in LossOperands o)
    {
        (Tensor logits, Tensor targets, Tensor? gradient) = (o.Outputs, o.Targets, o.Gradient);
        Float(backend, logits);
        Float(backend, targets);
        (int n, int c) = (logits.Shape.Rows, logits.Shape.Columns);
        if (c < 1) Fail($"The logits {logits.Shape} have no classes.", nameof(logits));
        if (targets.Shape.Rows != n || targets.Shape.Columns != c)
            Fail($"The targets are {targets.Shape}; the logits are [{n}, {c}].", nameof(targets));
        if (gradient is null) return (n, c);
        SameOrApart(backend, gradient, logits);
        Apart(backend, gradient, targets);
        return (n, c);
    }

    /// <summary>Mean squared error: returns (N, D).</summary>
    public static (int N, int D) MeanSquaredError(IBackend backend, in LossOperands o)
    {
        (Tensor predictions, Tensor targets, Tensor? gradient) = (o.Outputs, o.Targets, o.Gradient);
        Float(backend, predictions);
        Float(backend, targets);
        (int n, int d) = (predictions.Shape.Rows, predictions.Shape.Columns);
        if (d < 1) Fail($"The predictions {predictions.Shape} have no outputs.", nameof(predictions));
        if (targets.Shape.Rows != n || targets.Shape.Columns != d)
            Fail($"The targets are {targets.Shape}; the predictions are [{n}, {d}].", nameof(targets));
        if (gradient is null) return (n, d);
        SameOrApart(backend, gradient, predictions);
        Apart(backend, gradient, targets);
        return (n, d);
    }

    /// <summary>An optimiser's parameters, gradients and states: all of one count, apart from each other. Returns the count.</summary>
    public static long Optimizer(IBackend backend, Tensor parameters, params ReadOnlySpan<Tensor> others)
    {
        Float(backend, parameters);
        for (int i = 0; i < others.Length; i++)
        {
            Float(backend, others[i]);
            if (others[i].Count != parameters.Count) Fail($"{others[i]} does not fit the {parameters.Count} parameters.", nameof(others));
            Apart(backend, others[i], parameters);
            for (int j = 0; j < i; j++) Apart(backend, others[i], others[j]);
        }

        return parameters.Count;
    }

    /// <summary>Gradients to clip and the scalar for their norm: returns the count.</summary>
    public static long ClipGlobalNorm(IBackend backend, ClipOperands o)
    {
        if (!(o.Limit > 0)) throw new ArgumentOutOfRangeException(nameof(o.Limit), o.Limit, "A limit of the norm is above zero.");
        (Tensor gradients, Tensor norm) = (o.Gradients, o.Norm);
        Float(backend, gradients);
        Float(backend, norm);
        if (norm.Count != 1) Fail($"The norm is one number, not {norm.Shape}.", nameof(norm));
        Apart(backend, norm, gradients);
        return gradients.Count;
    }

    /// <summary>What a backend keeps for its caller, as that backend's own kind.</summary>
    /// <exception cref="InvalidOperationException">Another backend made it, be it of the same kind.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public static T Own<T>(IBackend backend, object kept, string what)
        where T : class, IKept
    {
        ArgumentNullException.ThrowIfNull(kept, what);
        if (kept is not T own || !ReferenceEquals(own.Backend, backend))
            throw new InvalidOperationException($"The {what} was made by another backend, not by this {backend.Device.Id}; make it here.");
        ObjectDisposedException.ThrowIf(own.IsDisposed, kept);
        return own;
    }

    /// <summary>A symmetric matrix [n, n] on the host, its n eigenvalues and vectors [n, n].</summary>
    public static void SymmetricEigen(in SymmetricEigenOperands o)
    {
        (int order, int matrix, int values, int vectors) = (o.Order, o.Matrix.Length, o.Values.Length, o.Vectors.Length);
        long square = (long)order * order; // no product of 32 bits: it could wrap around to a length that fits
        if (order < 0 || matrix != square || values != order || vectors != square)
            Fail($"Order {order} does not fit {matrix} elements, {values} values and {vectors} elements of vectors.", nameof(order));
    }

    /// <summary>Host memory and a tensor: the same type and count. Returns the count.</summary>
    public static int Transfer<T>(IBackend backend, int hostCount, Tensor tensor)
        where T : unmanaged
    {
        Typed(backend, tensor, ElementTypes.From<T>());
        if (tensor.Count != hostCount) Fail($"{hostCount} elements of host memory do not fit {tensor}.", nameof(tensor));
        return hostCount;
    }

    /// <summary>A copy on the device: the same type and count, the same memory or apart. Returns the count.</summary>
    public static long Copy(IBackend backend, Tensor source, Tensor destination)
    {
        source.StorageOn(backend);
        Typed(backend, destination, source.Type);
        if (source.Count != destination.Count) Fail($"{source} does not fit {destination}.", nameof(destination));
        if (source.Offset != destination.Offset) Apart(backend, source, destination);
        return source.Count;
    }

    /// <summary>A Float32 tensor of any shape: returns the count.</summary>
    public static long Float(IBackend backend, Tensor tensor, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        return tensor.Count;
    }

    private static void Float(IBackend backend, Tensor tensor, int extent, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        if (tensor.Count != extent) Fail($"{name} is {tensor.Shape}; it must be [{extent}].", name);
    }

    // Leading extents may be folded: [T, B, H] and [T * B, H] are the same matrix.
    private static void Float(IBackend backend, Tensor tensor, int rows, int columns, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        if (tensor.Shape.Rows != rows || tensor.Shape.Columns != columns) Fail($"{name} is {tensor.Shape}; it must be [{rows}, {columns}].", name);
    }

    private static void Float(
        IBackend backend, Tensor tensor, int steps, int batch, int width, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        Shape shape = tensor.Shape;
        if (shape.Rank != 3 || shape[0] != steps || shape[1] != batch || shape[2] != width)
            Fail($"{name} is {shape}; it must be [{steps}, {batch}, {width}].", name);
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

    private static (int T, int B, int H) Sequence(IBackend backend, Tensor sequence, Tensor? lengths)
    {
        Float(backend, sequence);
        if (sequence.Shape.Rank != 3) Fail($"A sequence is [T, B, H], not {sequence.Shape}.", nameof(sequence));
        if (lengths is not null) Lengths(backend, lengths, sequence.Shape[1]);
        return (sequence.Shape[0], sequence.Shape[1], sequence.Shape[2]);
    }

    private static void Lengths(IBackend backend, Tensor lengths, int batch)
    {
        Typed(backend, lengths, ElementType.Int32);
        if (lengths.Count != batch) Fail($"There are {lengths.Count} lengths for {batch} sequences.", nameof(lengths));
    }

    private static void Typed(IBackend backend, Tensor tensor, ElementType type, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(tensor, name);
        tensor.StorageOn(backend);
        if (tensor.Type != type) Fail($"{name} is {tensor}; it must be {type}.", name);
    }

    private static void SameOrApart(IBackend backend, Tensor gradient, Tensor original)
    {
        Float(backend, gradient);
        if (gradient.Shape.Rows != original.Shape.Rows || gradient.Shape.Columns != original.Shape.Columns)
            Fail($"The gradient is {gradient.Shape}; it must be {original.Shape}.", nameof(gradient));
        if (gradient.Offset != original.Offset) Apart(backend, gradient, original);
    }

    private static void Apart(
        IBackend backend,
        Tensor first,
        Tensor second,
        [CallerArgumentExpression(nameof(first))] string firstName = "",
        [CallerArgumentExpression(nameof(second))] string secondName = "")
    {
        if (!ReferenceEquals(first.StorageOn(backend), second.StorageOn(backend))) return;
        if (first.Offset < second.Offset + second.Count && second.Offset < first.Offset + first.Count)
            Fail($"{firstName} and {secondName} share memory; they must be apart.", firstName);
    }

    [DoesNotReturn]
    private static void Fail(string message, string name) => throw new ArgumentException(message, name);
}
