namespace GpuSpectralRnn.Compute;

/// <content>Losses.</content>
internal static partial class OperandChecks
{
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

    private static void SameOrApart(IBackend backend, Tensor gradient, Tensor original)
    {
        Float(backend, gradient);
        if (gradient.Shape.Rows != original.Shape.Rows || gradient.Shape.Columns != original.Shape.Columns)
            Fail($"The gradient is {gradient.Shape}; it must be {original.Shape}.", nameof(gradient));
        if (gradient.Offset != original.Offset) Apart(backend, gradient, original);
    }
}
