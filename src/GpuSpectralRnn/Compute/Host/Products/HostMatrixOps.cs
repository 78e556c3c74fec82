using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Dense linear algebra on the processor.</summary>
internal sealed unsafe class HostMatrixOps(HostBackend backend, HostParallel threads, Gemm gemm) : IMatrixOps
{
    /// <inheritdoc/>
    public void Gemm(GemmOperands o)
    {
        (int m, int n, int k) = OperandChecks.Gemm(backend, o);
        gemm.Run(m, n, k, o.Alpha, backend.Read(o.A), o.TransposeA, backend.Read(o.B), o.TransposeB, o.Beta, backend.Address(o.C));
    }

    /// <inheritdoc/>
    public void Linear(LinearOperands operands)
    {
        (int n, int i, int o) = OperandChecks.Linear(backend, operands);
        (Tensor x, Tensor weights, Tensor? bias, Tensor y) = operands;
        gemm.Run(n, o, i, 1, backend.Read(x), false, backend.Read(weights), true, 0, backend.Address(y), backend.ReadOrNull(bias));
    }

    /// <inheritdoc/>
    public void LinearBackward(LinearBackwardOperands operands)
    {
        (int n, int i, int o) = OperandChecks.LinearBackward(backend, operands);
        (Tensor x, Tensor weights, Tensor outputGradient, Tensor? inputGradient, Tensor weightGradient, Tensor? biasGradient) = operands;
        float* delta = backend.Address(outputGradient); // [N, O]
        if (inputGradient is not null) gemm.Run(n, i, o, 1, delta, false, backend.Address(weights), false, 0, backend.Address(inputGradient));
        gemm.Run(o, i, n, 1, delta, true, backend.Address(x), false, 1, backend.Address(weightGradient));
        if (biasGradient is not null) new ColumnSums(delta, n, o, 1, 1, backend.Address(biasGradient)).Run(threads, o);
    }

    /// <inheritdoc/>
    public void ColumnSums(ColumnSumsOperands operands)
    {
        (int m, int n) = OperandChecks.ColumnSums(backend, operands);
        new ColumnSums(backend.Address(operands.X), m, n, 1, operands.Beta, backend.Address(operands.Sums)).Run(threads, n);
    }

    /// <inheritdoc/>
    public void CopyColumns(CopyColumnsOperands operands)
    {
        int rows = OperandChecks.CopyColumns(backend, operands);
        (Tensor source, int from, Tensor destination, int to, int columns, bool adds) = operands;
        float* left = backend.Address(source) + from;
        float* right = backend.Address(destination) + to;
        (int stride, int otherStride) = (source.Shape.Columns, destination.Shape.Columns);
        threads.Split(rows, 16, (long)rows * columns, (_, first, last) =>
        {
            for (long i = first; i < last; i++)
            {
                ReadOnlySpan<float> row = new(left + i * stride, columns);
                Span<float> target = new(right + i * otherStride, columns);
                if (!adds) row.CopyTo(target);
                else for (int j = 0; j < columns; j++) target[j] += row[j];
            }
        });
    }

    /// <inheritdoc/>
    public void ScaleColumns(ColumnScaling operands)
    {
        (int m, int n) = OperandChecks.ScaleColumns(backend, operands);
        float* source = backend.Address(operands.Source) + operands.From;
        float* target = backend.Address(operands.Destination) + operands.From;
        ScaledColumns.Run(threads, source, backend.Address(operands.Scales), target, m, n, operands.Source.Shape.Columns);
    }

    /// <inheritdoc/>
    public void ColumnDots(ColumnProducts operands)
    {
        (int m, int n) = OperandChecks.ColumnDots(backend, operands);
        float* a = backend.Address(operands.A) + operands.From, b = backend.Address(operands.B) + operands.From;
        Host.ColumnDots.Run(threads, a, b, backend.Address(operands.Dots), m, n, operands.A.Shape.Columns);
    }

    /// <inheritdoc/>
    public void AddRowSquares(RowGroups operands) => RowSquares.Run(
        threads, backend.Address(operands.Weights), backend.Address(operands.Units), operands, OperandChecks.RowGroups(backend, operands));

    /// <inheritdoc/>
    public void ScaleRows(RowGroups operands) => ScaledRows.Run(
        threads, backend.Address(operands.Weights), backend.Address(operands.Units), operands, OperandChecks.RowGroups(backend, operands));

    /// <inheritdoc/>
    public void MeanOverSteps(MeanOverStepsOperands operands)
    {
        (int t, int b, int h) = OperandChecks.MeanOverSteps(backend, operands);
        float* source = backend.Address(operands.Sequence); // [T, B, H]
        float* result = backend.Address(operands.Mean); // [B, H]
        if (operands.Lengths is null)
        {
            new ColumnSums(source, t, (long)b * h, 1f / t, 0, result).Run(threads, (long)b * h);
            return;
        }

        int* valid = backend.Address<int>(operands.Lengths); // [B]
        for (int row = 0; row < b; row++)
        {
            float factor = valid[row] == 0 ? 0 : 1f / valid[row];
            new ColumnSums(source + (long)row * h, valid[row], (long)b * h, factor, 0, result + (long)row * h).Run(threads, h);
        }
    }

    /// <inheritdoc/>
    public void SpreadOverSteps(MeanOverStepsOperands operands)
    {
        (int t, int b, int h) = OperandChecks.MeanOverSteps(backend, operands);
        float* source = backend.Address(operands.Mean); // [B, H]
        float* result = backend.Address(operands.Sequence); // [T, B, H]
        long width = (long)b * h;
        if (operands.Lengths is not null)
        {
            int* valid = backend.Address<int>(operands.Lengths); // [B]
            for (long i = 0; i < t * width; i++)
            {
                long row = i % width / h;
                result[i] = i / width < valid[row] ? source[i % width] / valid[row] : 0;
            }

            return;
        }

        float factor = 1f / t;
        for (long j = 0; j < width; j++) result[j] = factor * source[j];
        Repeat(result, width, t - 1, result + width);
    }

    /// <inheritdoc/>
    public void LastSteps(LastStepsOperands operands)
    {
        (_, int b, int h) = OperandChecks.LastSteps(backend, operands);
        Tensor last = operands.Last;
        float* source = backend.Address(operands.Sequence); // [T, B, H]
        int* valid = backend.Address<int>(operands.Lengths); // [B]
        for (long row = 0; row < b; row++)
        {
            Span<float> target = new(backend.Address(last) + row * last.Shape.Columns, h);
            if (valid[row] == 0) target.Clear();
            else new ReadOnlySpan<float>(source + ((valid[row] - 1L) * b + row) * h, h).CopyTo(target);
        }
    }

    /// <inheritdoc/>
    public void SpreadToLastSteps(LastStepsOperands operands)
    {
        (_, int b, int h) = OperandChecks.LastSteps(backend, operands);
        Tensor last = operands.Last;
        backend.Fill(operands.Sequence, 0);
        float* result = backend.Address(operands.Sequence); // [T, B, H]
        int* valid = backend.Address<int>(operands.Lengths); // [B]
        for (long row = 0; row < b; row++)
        {
            if (valid[row] == 0) continue;
            new ReadOnlySpan<float>(backend.Address(last) + row * last.Shape.Columns, h)
                .CopyTo(new Span<float>(result + ((valid[row] - 1L) * b + row) * h, h));
        }
    }

    /// <inheritdoc/>
    public void ClearPadding(ClearPaddingOperands operands)
    {
        (int t, int b, int h) = OperandChecks.ClearPadding(backend, operands);
        float* rows = backend.Address(operands.X); // [T, B, H]
        int* valid = backend.Address<int>(operands.Lengths); // [B]
        for (long step = 0; step < t; step++)
            for (long row = 0; row < b; row++)
                if (step >= valid[row]) new Span<float>(rows + (step * b + row) * h, h).Clear();
    }

    /// <inheritdoc/>
    public void WeighSteps(WeighStepsOperands operands)
    {
        (int t, int b) = OperandChecks.WeighSteps(backend, operands);
        float* perStep = backend.Address(operands.StepWeights), result = backend.Address(operands.Weights); // [T], [T, B]
        int* valid = backend.Address<int>(operands.Lengths); // [B]
        for (long step = 0; step < t; step++)
            for (long row = 0; row < b; row++) result[step * b + row] = step < valid[row] ? perStep[step] : 0;
    }

    /// <inheritdoc/>
    public void AddSquares(AddSquaresOperands operands)
    {
        long count = OperandChecks.AddSquares(backend, operands);
        float* values = backend.Address(operands.X), totals = backend.Address(operands.Sums);
        threads.Split(count, 16, count, (_, first, end) =>
        {
            for (long i = first; i < end; i++) totals[i] += values[i] * values[i];
        });
    }

    private static void Repeat(float* row, long width, long times, float* destination)
    {
        for (; times > 0; times--, destination += width) Buffer.MemoryCopy(row, destination, width * sizeof(float), width * sizeof(float));
    }
}
