namespace GpuSpectralRnn.Compute.Host;

/// <summary>Dense linear algebra on the processor.</summary>
internal sealed unsafe class HostMatrixOps(HostBackend backend) : IMatrixOps
{
    /// <inheritdoc/>
    public void Gemm(bool transposeA, bool transposeB, float alpha, Tensor a, Tensor b, float beta, Tensor c)
    {
        (int m, int n, int k) = OperandChecks.Gemm(backend, transposeA, transposeB, a, b, c);
        Multiply(m, n, k, alpha, backend.Address(a), transposeA, backend.Address(b), transposeB, beta, backend.Address(c));
    }

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor weights, Tensor? bias, Tensor y)
    {
        (int n, int i, int o) = OperandChecks.Linear(backend, x, weights, bias, y);
        float* result = backend.Address(y);
        float* offset = backend.AddressOrNull(bias);
        Multiply(n, o, i, 1, backend.Address(x), false, backend.Address(weights), true, 0, result);
        if (offset is null) return;
        for (long row = 0; row < n; row++)
        {
            for (int j = 0; j < o; j++) result[row * o + j] += offset[j];
        }
    }

    /// <inheritdoc/>
    public void LinearBackward(Tensor x, Tensor weights, Tensor outputGradient, Tensor? inputGradient, Tensor weightGradient, Tensor? biasGradient)
    {
        (int n, int i, int o) = OperandChecks.LinearBackward(backend, x, weights, outputGradient, inputGradient, weightGradient, biasGradient);
        float* delta = backend.Address(outputGradient);
        if (inputGradient is not null) Multiply(n, i, o, 1, delta, false, backend.Address(weights), false, 0, backend.Address(inputGradient));
        Multiply(o, i, n, 1, delta, true, backend.Address(x), false, 1, backend.Address(weightGradient));
        if (biasGradient is not null) Sum(delta, n, o, 1, backend.Address(biasGradient));
    }

    /// <inheritdoc/>
    public void ColumnSums(Tensor x, float beta, Tensor sums)
    {
        (int m, int n) = OperandChecks.ColumnSums(backend, x, sums);
        Sum(backend.Address(x), m, n, beta, backend.Address(sums));
    }

    /// <inheritdoc/>
    public void MeanOverSteps(Tensor x, Tensor mean)
    {
        (int t, int b, int h) = OperandChecks.OverSteps(backend, x, mean);
        float* sums = backend.Address(mean);
        Sum(backend.Address(x), t, b * h, 0, sums);
        for (int j = 0; j < b * h; j++) sums[j] /= t;
    }

    /// <inheritdoc/>
    public void SpreadOverSteps(Tensor meanGradient, Tensor gradient)
    {
        (int t, int b, int h) = OperandChecks.OverSteps(backend, gradient, meanGradient);
        float* source = backend.Address(meanGradient);
        float* result = backend.Address(gradient);
        long width = (long)b * h;
        for (long step = 0; step < t; step++)
        {
            for (long j = 0; j < width; j++) result[step * width + j] = source[j] / t;
        }
    }

    /// <summary>C = alpha op(A) op(B) + beta C.</summary>
    internal static void Multiply(int m, int n, int k, float alpha, float* a, bool transposeA, float* b, bool transposeB, float beta, float* c)
    {
        for (long i = 0; i < m; i++)
        {
            for (long j = 0; j < n; j++)
            {
                float sum = 0;
                for (long l = 0; l < k; l++) sum += (transposeA ? a[l * m + i] : a[i * k + l]) * (transposeB ? b[j * k + l] : b[l * n + j]);
                c[i * n + j] = beta == 0 ? alpha * sum : alpha * sum + beta * c[i * n + j];
            }
        }
    }

    /// <summary>sums = beta sums + column sums of x [rows, columns].</summary>
    internal static void Sum(float* x, long rows, long columns, float beta, float* sums)
    {
        for (long j = 0; j < columns; j++)
        {
            double sum = 0;
            for (long i = 0; i < rows; i++) sum += x[i * columns + j];
            sums[j] = (float)(beta == 0 ? sum : beta * sums[j] + sum);
        }
    }
}
