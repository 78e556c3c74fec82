using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Dense linear algebra on the processor.</summary>
internal sealed unsafe class HostMatrixOps(HostBackend backend, HostParallel threads, Gemm gemm) : IMatrixOps
{
    /// <inheritdoc/>
    public void Gemm(bool transposeA, bool transposeB, float alpha, Tensor a, Tensor b, float beta, Tensor c)
    {
        (int m, int n, int k) = OperandChecks.Gemm(backend, transposeA, transposeB, a, b, c);
        gemm.Run(m, n, k, alpha, backend.Address(a), transposeA, backend.Address(b), transposeB, beta, backend.Address(c));
    }

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor weights, Tensor? bias, Tensor y)
    {
        (int n, int i, int o) = OperandChecks.Linear(backend, x, weights, bias, y);
        gemm.Run(n, o, i, 1, backend.Address(x), false, backend.Address(weights), true, 0, backend.Address(y), backend.AddressOrNull(bias));
    }

    /// <inheritdoc/>
    public void LinearBackward(Tensor x, Tensor weights, Tensor outputGradient, Tensor? inputGradient, Tensor weightGradient, Tensor? biasGradient)
    {
        (int n, int i, int o) = OperandChecks.LinearBackward(backend, x, weights, outputGradient, inputGradient, weightGradient, biasGradient);
        float* delta = backend.Address(outputGradient); // [N, O]
        if (inputGradient is not null) gemm.Run(n, i, o, 1, delta, false, backend.Address(weights), false, 0, backend.Address(inputGradient));
        gemm.Run(o, i, n, 1, delta, true, backend.Address(x), false, 1, backend.Address(weightGradient));
        if (biasGradient is not null) Host.ColumnSums.Run(threads, delta, n, o, o, 1, 1, backend.Address(biasGradient));
    }

    /// <inheritdoc/>
    public void ColumnSums(Tensor x, float beta, Tensor sums)
    {
        (int m, int n) = OperandChecks.ColumnSums(backend, x, sums);
        Host.ColumnSums.Run(threads, backend.Address(x), m, n, n, 1, beta, backend.Address(sums));
    }

    /// <inheritdoc/>
    public void CopyColumns(Tensor source, int from, Tensor destination, int to, int columns, bool adds = false)
    {
        int rows = OperandChecks.CopyColumns(backend, source, from, destination, to, columns);
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
    public void MeanOverSteps(Tensor x, Tensor mean, Tensor? lengths = null)
    {
        (int t, int b, int h) = OperandChecks.OverSteps(backend, x, mean, lengths);
        float* source = backend.Address(x); // [T, B, H]
        float* result = backend.Address(mean); // [B, H]
        if (lengths is null)
        {
            Host.ColumnSums.Run(threads, source, t, (long)b * h, (long)b * h, 1f / t, 0, result);
            return;
        }

        int* valid = backend.Address<int>(lengths); // [B]
        for (int row = 0; row < b; row++)
        {
            float factor = valid[row] == 0 ? 0 : 1f / valid[row];
            Host.ColumnSums.Run(threads, source + (long)row * h, valid[row], h, (long)b * h, factor, 0, result + (long)row * h);
        }
    }

    /// <inheritdoc/>
    public void SpreadOverSteps(Tensor meanGradient, Tensor gradient, Tensor? lengths = null)
    {
        (int t, int b, int h) = OperandChecks.OverSteps(backend, gradient, meanGradient, lengths);
        float* source = backend.Address(meanGradient); // [B, H]
        float* result = backend.Address(gradient); // [T, B, H]
        long width = (long)b * h;
        if (lengths is not null)
        {
            int* valid = backend.Address<int>(lengths); // [B]
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
    public void LastSteps(Tensor x, Tensor lengths, Tensor last)
    {
        (_, int b, int h) = OperandChecks.LastSteps(backend, x, lengths, last);
        float* source = backend.Address(x); // [T, B, H]
        int* valid = backend.Address<int>(lengths); // [B]
        for (long row = 0; row < b; row++)
        {
            Span<float> target = new(backend.Address(last) + row * last.Shape.Columns, h);
            if (valid[row] == 0) target.Clear();
            else new ReadOnlySpan<float>(source + ((valid[row] - 1L) * b + row) * h, h).CopyTo(target);
        }
    }

    /// <inheritdoc/>
    public void SpreadToLastSteps(Tensor lastGradient, Tensor lengths, Tensor gradient)
    {
        (_, int b, int h) = OperandChecks.LastSteps(backend, gradient, lengths, lastGradient);
        backend.Fill(gradient, 0);
        float* result = backend.Address(gradient); // [T, B, H]
        int* valid = backend.Address<int>(lengths); // [B]
        for (long row = 0; row < b; row++)
        {
            if (valid[row] == 0) continue;
            new ReadOnlySpan<float>(backend.Address(lastGradient) + row * lastGradient.Shape.Columns, h)
                .CopyTo(new Span<float>(result + ((valid[row] - 1L) * b + row) * h, h));
        }
    }

    /// <inheritdoc/>
    public void ClearPadding(Tensor x, Tensor lengths)
    {
        (int t, int b, int h) = OperandChecks.ClearPadding(backend, x, lengths);
        float* rows = backend.Address(x); // [T, B, H]
        int* valid = backend.Address<int>(lengths); // [B]
        for (long step = 0; step < t; step++)
            for (long row = 0; row < b; row++)
                if (step >= valid[row]) new Span<float>(rows + (step * b + row) * h, h).Clear();
    }

    /// <inheritdoc/>
    public void WeighSteps(Tensor stepWeights, Tensor lengths, Tensor weights)
    {
        (int t, int b) = OperandChecks.WeighSteps(backend, stepWeights, lengths, weights);
        float* perStep = backend.Address(stepWeights), result = backend.Address(weights);
        int* valid = backend.Address<int>(lengths); // [B]
        for (long step = 0; step < t; step++)
            for (long row = 0; row < b; row++) result[step * b + row] = step < valid[row] ? perStep[step] : 0;
    }

    /// <inheritdoc/>
    public void AddSquares(Tensor x, Tensor sums)
    {
        long count = OperandChecks.AddSquares(backend, x, sums);
        float* values = backend.Address(x), totals = backend.Address(sums);
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
