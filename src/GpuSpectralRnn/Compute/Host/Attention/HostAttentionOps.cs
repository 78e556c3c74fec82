using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Softmax over time and attention on the processor. Threads share out the sequences.</summary>
internal sealed unsafe class HostAttentionOps(HostBackend backend, HostParallel threads, Gemm gemm) : IAttentionOps
{
    private const int LineOfSequences = 16; // neighbours whose numbers lie in one line of the cache
    private const int ExponentialWork = 16;

    /// <inheritdoc/>
    public void SoftmaxOverSteps(Tensor x, Tensor y, Tensor? lengths = null)
    {
        (int t, int b) = OperandChecks.SoftmaxOverSteps(backend, x, y, lengths);
        float* input = backend.Address(x), output = backend.Address(y); // [T, B]
        int* valid = LengthsOrNull(lengths);
        threads.Split(b, LineOfSequences, x.Count * ExponentialWork, (_, from, to) =>
        {
            for (long i = from; i < to; i++) Host.SoftmaxOverSteps.Run(input + i, output + i, t, valid == null ? t : valid[i], b);
        });
    }

    /// <inheritdoc/>
    public void SoftmaxOverStepsBackward(SoftmaxOverStepsBackward operands)
    {
        (int t, int b) = OperandChecks.SoftmaxOverStepsBackward(backend, operands);
        float* y = backend.Address(operands.Output), d = backend.Address(operands.OutputGradient); // [T, B]
        float* result = backend.Address(operands.InputGradient); // [T, B]
        int* valid = LengthsOrNull(operands.Lengths);
        threads.Split(b, LineOfSequences, operands.Output.Count, (_, from, to) =>
        {
            for (long i = from; i < to; i++) Host.SoftmaxOverSteps.RunBackward(y + i, d + i, result + i, t, valid == null ? t : valid[i], b);
        });
    }

    /// <inheritdoc/>
    public void StepsToRows(StepRowsOperands operands) => Turn(operands, Host.StepRows.ToRows);

    /// <inheritdoc/>
    public void RowsToSteps(StepRowsOperands operands) => Turn(operands, Host.StepRows.ToSteps);

    /// <inheritdoc/>
    public void Forward(AttentionForward operands)
    {
        AttentionShape shape = OperandChecks.AttentionForward(backend, operands);
        Attention attention = new(backend, operands, shape);
        threads.Split(shape.Batch, 1, Work(shape), (_, from, to) =>
        {
            for (long i = from; i < to; i++) attention.Run(i);
        });
    }

    /// <inheritdoc/>
    public void Backward(AttentionBackward operands)
    {
        AttentionShape shape = OperandChecks.AttentionBackward(backend, operands);
        Attention attention = new(backend, operands.Forward, shape);
        float* outputGradient = backend.Address(operands.OutputGradient); // [T, B, 4 F]
        float* contextGradient = backend.Address(operands.ContextGradient); // [T, B, F]
        float* questionGradient = backend.Address(operands.QuestionGradient); // [J, B, F]
        threads.Split(shape.Batch, 1, Work(shape), (_, from, to) =>
        {
            for (long i = from; i < to; i++) attention.RunBackward(i, outputGradient, contextGradient, questionGradient);
        });

        (int cells, int words, int width) = (shape.ContextSteps * shape.Batch, shape.QuestionSteps * shape.Batch, shape.Width);
        float* context = backend.Address(operands.Forward.Context), question = backend.Address(operands.Forward.Question);
        float* weightGradient = backend.Address(operands.WeightGradient); // [3 F]
        gemm.Run(1, width, cells, 1, attention.StepSums, false, context, false, 1, weightGradient);
        gemm.Run(1, width, words, 1, attention.WordSums, false, question, false, 1, weightGradient + width);
        ColumnDots.Run(threads, question, attention.ContextSums, weightGradient + 2 * width, words, width, width);
    }

    private void Turn(StepRowsOperands operands, StepRows.Sequence turn)
    {
        (int t, int b) = OperandChecks.StepRows(backend, operands);
        float* steps = backend.Address(operands.Steps), rows = backend.Address(operands.Rows); // [T, B], [B, T]
        int* valid = LengthsOrNull(operands.Lengths);
        threads.Split(b, LineOfSequences, operands.Steps.Count, (_, from, to) =>
        {
            for (long i = from; i < to; i++) turn(steps + i, rows + i * t, t, valid == null ? t : valid[i], b);
        });
    }

    private static long Work(AttentionShape shape) => (long)shape.ContextSteps * shape.QuestionSteps * shape.Batch * shape.Width;

    private int* LengthsOrNull(Tensor? lengths) => lengths is null ? null : backend.Address<int>(lengths);
}
