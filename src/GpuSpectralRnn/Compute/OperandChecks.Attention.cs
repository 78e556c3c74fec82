namespace GpuSpectralRnn.Compute;

/// <content>Softmax over time and attention.</content>
internal static partial class OperandChecks
{
    /// <summary>A softmax over steps: returns (T, B).</summary>
    public static (int T, int B) SoftmaxOverSteps(IBackend backend, Tensor x, Tensor y, Tensor? lengths)
    {
        (int t, int b) = Steps(backend, x, lengths);
        Float(backend, y, t, b);
        if (y.Offset != x.Offset) Apart(backend, y, x);
        return (t, b);
    }

    /// <summary>Its backward: returns (T, B).</summary>
    public static (int T, int B) SoftmaxOverStepsBackward(IBackend backend, SoftmaxOverStepsBackward o)
    {
        (Tensor output, Tensor outputGradient, Tensor inputGradient) = (o.Output, o.OutputGradient, o.InputGradient);
        (int t, int b) = Steps(backend, output, o.Lengths);
        Float(backend, outputGradient, t, b);
        Float(backend, inputGradient, t, b);
        Apart(backend, inputGradient, output);
        if (inputGradient.Offset != outputGradient.Offset) Apart(backend, inputGradient, outputGradient);
        return (t, b);
    }

    /// <summary>A number for each step in both orders; one of them is written: returns (T, B).</summary>
    public static (int T, int B) StepRows(IBackend backend, StepRowsOperands o)
    {
        (Tensor steps, Tensor rows) = (o.Steps, o.Rows);
        (int t, int b) = Steps(backend, steps, o.Lengths);
        Float(backend, rows, b, t);
        Apart(backend, rows, steps);
        return (t, b);
    }

    /// <summary>Operands of an attention's forward pass: returns the extents.</summary>
    public static AttentionShape AttentionForward(IBackend backend, AttentionForward o, bool isTraining = false)
    {
        (Tensor context, Tensor question, Tensor weights, Tensor output, Tensor workspace) = (o.Context, o.Question, o.Weights, o.Output, o.Workspace);
        (int t, int b, int f) = Sequence(backend, context, o.ContextLengths);
        (int j, int questions, int width) = Sequence(backend, question, o.QuestionLengths);
        if (questions != b || width != f)
            Fail($"The questions are {question.Shape}; with the contexts {context.Shape} they must be [J, {b}, {f}].", nameof(question));
        if (t < 1 || j < 1 || b < 1 || f < 1)
            Fail($"Every extent of an attention is one or more: contexts {context.Shape}, questions {question.Shape}.", nameof(context));
        Float(backend, weights, 3 * f);
        Float(backend, output, t, b, 4 * f);
        Float(backend, workspace);
        AttentionShape shape = new(t, j, b, f);
        if (workspace.Count < shape.WorkspaceFor(isTraining))
            Fail($"The workspace has {workspace.Count} numbers; {shape} needs {shape.WorkspaceFor(isTraining)}.", nameof(workspace));
        foreach (Tensor written in (ReadOnlySpan<Tensor>)[output, workspace])
        {
            Apart(backend, written, context);
            Apart(backend, written, question);
            Apart(backend, written, weights);
        }

        Apart(backend, output, workspace);
        return shape;
    }

    /// <summary>Operands of an attention's backward pass: returns the extents.</summary>
    public static AttentionShape AttentionBackward(IBackend backend, AttentionBackward o)
    {
        AttentionShape shape = AttentionForward(backend, o.Forward, isTraining: true);
        Float(backend, o.OutputGradient, shape.ContextSteps, shape.Batch, 4 * shape.Width);
        Float(backend, o.ContextGradient, shape.ContextSteps, shape.Batch, shape.Width);
        Float(backend, o.QuestionGradient, shape.QuestionSteps, shape.Batch, shape.Width);
        Float(backend, o.WeightGradient, 3 * shape.Width);
        AttentionForward forward = o.Forward;
        ReadOnlySpan<Tensor> others =
        [
            o.ContextGradient, o.QuestionGradient, o.WeightGradient, o.OutputGradient,
            forward.Context, forward.Question, forward.Weights, forward.Output, forward.Workspace,
        ];
        const int Results = 3;
        for (int i = 0; i < Results; i++)
        {
            Tensor result = others[i];
            for (int k = i + 1; k < others.Length; k++) Apart(backend, result, others[k]);
        }

        Tensor outputGradient = o.OutputGradient, workspace = forward.Workspace;
        Apart(backend, workspace, outputGradient);
        return shape;
    }

    private static (int T, int B) Steps(IBackend backend, Tensor numbers, Tensor? lengths)
    {
        Float(backend, numbers);
        if (numbers.Shape.Rank != 2) Fail($"A number for each step is [T, B], not {numbers.Shape}.", nameof(numbers));
        if (lengths is not null) Lengths(backend, lengths, numbers.Shape[1]);
        return (numbers.Shape[0], numbers.Shape[1]);
    }
}
