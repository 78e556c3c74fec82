using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Softmax over time and attention as ILGPU kernels.</summary>
internal sealed class IlgpuAttentionOps : IAttentionOps, IDisposable
{
    private readonly IlgpuBackend backend;
    private readonly SoftmaxOverSteps softmax;
    private readonly ColumnSums columnSums;
    private readonly ColumnDots columnDots;
    private readonly Lazy<Attention> attention;
    private readonly Lazy<Launcher<StepRows>> toRows;
    private readonly Lazy<Launcher<StepRowsBackward>> toSteps;

    /// <summary>Loads the kernels.</summary>
    public IlgpuAttentionOps(IlgpuBackend backend)
    {
        this.backend = backend;
        softmax = new SoftmaxOverSteps(backend.Loader);
        columnSums = new ColumnSums(backend.Loader);
        columnDots = new ColumnDots(backend.Loader, columnSums);
        attention = new(() => new Attention(backend.Loader, softmax, columnSums, columnDots));
        (toRows, toSteps) = (new(backend.Loader.Elements<StepRows>), new(backend.Loader.Elements<StepRowsBackward>));
    }

    /// <inheritdoc/>
    public void SoftmaxOverSteps(Tensor x, Tensor y, Tensor? lengths = null)
    {
        (int t, int b) = OperandChecks.SoftmaxOverSteps(backend, x, y, lengths);
        backend.Count(x);
        if (x.Count > 0) softmax.Run(backend.Stream, backend.View(x), backend.View(y), Lengths(lengths, t, b));
    }

    /// <inheritdoc/>
    public void SoftmaxOverStepsBackward(SoftmaxOverStepsBackward operands)
    {
        (int t, int b) = OperandChecks.SoftmaxOverStepsBackward(backend, operands);
        (Tensor y, Tensor d, Tensor result) = (operands.Output, operands.OutputGradient, operands.InputGradient);
        backend.Count(y);
        if (y.Count > 0) softmax.RunBackward(backend.Stream, backend.View(y), backend.View(d), backend.View(result), Lengths(operands.Lengths, t, b));
    }

    /// <inheritdoc/>
    public void StepsToRows(StepRowsOperands operands)
    {
        (int t, int b) = OperandChecks.StepRows(backend, operands);
        int count = backend.Count(operands.Steps);
        if (count > 0)
            toRows.Value(backend.Stream, count, new(backend.View(operands.Steps), backend.View(operands.Rows), Lengths(operands.Lengths, t, b)));
    }

    /// <inheritdoc/>
    public void RowsToSteps(StepRowsOperands operands)
    {
        (int t, int b) = OperandChecks.StepRows(backend, operands);
        int count = backend.Count(operands.Steps);
        if (count > 0)
            toSteps.Value(backend.Stream, count, new(backend.View(operands.Steps), backend.View(operands.Rows), Lengths(operands.Lengths, t, b)));
    }

    /// <inheritdoc/>
    public void Forward(AttentionForward operands)
    {
        AttentionShape shape = OperandChecks.AttentionForward(backend, operands);
        attention.Value.Run(backend.Stream, Tensors(operands, shape));
    }

    /// <inheritdoc/>
    public void Backward(AttentionBackward operands)
    {
        AttentionShape shape = OperandChecks.AttentionBackward(backend, operands);
        AttentionLayout layout = new(shape);
        ArrayView<float> workspace = backend.View(operands.Forward.Workspace);
        AttentionGradients gradients = new()
        {
            Output = backend.View(operands.OutputGradient),
            Context = backend.View(operands.ContextGradient),
            Question = backend.View(operands.QuestionGradient),
            Scores = workspace.SubView(layout.ScoreGradient, layout.Pairs),
            Largest = workspace.SubView(layout.LargestGradient, layout.Cells),
            Means = workspace.SubView(layout.Means, layout.Cells),
            Summary = workspace.SubView(layout.SummaryGradient, layout.Summaries),
            ContextSums = workspace.SubView(layout.ContextSums, layout.Words * shape.Width),
            ScoreSums = workspace.SubView(layout.ScoreSums, layout.Words),
        };
        attention.Value.RunBackward(backend.Stream, Tensors(operands.Forward, shape), gradients, backend.View(operands.WeightGradient));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        columnDots.Dispose();
        columnSums.Dispose();
    }

    private AttentionTensors Tensors(AttentionForward o, AttentionShape shape)
    {
        backend.Count(o.Output);
        backend.Count(o.Question);
        backend.Count(o.Workspace);
        AttentionLayout layout = new(shape);
        ArrayView<float> workspace = backend.View(o.Workspace);
        return new()
        {
            Context = backend.View(o.Context),
            Question = backend.View(o.Question),
            Weights = backend.View(o.Weights),
            Output = backend.View(o.Output),
            Shares = workspace.SubView(AttentionLayout.Shares, layout.Pairs),
            ContextShares = workspace.SubView(layout.ContextShares, layout.Cells),
            Largest = workspace.SubView(layout.Largest, layout.Cells),
            Winners = workspace.SubView(layout.Winners, layout.Cells),
            Summary = workspace.SubView(layout.Summary, layout.Summaries),
            ContextSteps = Lengths(o.ContextLengths, shape.ContextSteps, shape.Batch),
            QuestionSteps = Lengths(o.QuestionLengths, shape.QuestionSteps, shape.Batch),
            Width = shape.Width,
        };
    }

    private StepLengths Lengths(Tensor? lengths, int steps, int batch) => new(lengths is null ? null : backend.View<int>(lengths), steps, batch);
}
