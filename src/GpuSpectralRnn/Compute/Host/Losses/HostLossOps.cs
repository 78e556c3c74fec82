using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Losses on the processor; sums over rows are in double precision and in one fixed order.</summary>
internal sealed unsafe class HostLossOps(HostBackend backend, HostParallel threads) : ILossOps
{
    private readonly SquareSum squares = new(threads);
    private double[] losses = [];
    private bool[] hits = [];

    /// <inheritdoc/>
    public LossTotals CreateTotals() => new HostLossTotals(backend);

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(LossOperands operands)
    {
        (int n, int c) = OperandChecks.SoftmaxCrossEntropy(backend, operands);
        (Tensor logits, Tensor labels, float scale, Tensor? gradient, LossTotals totals) = operands;
        HostLossTotals own = OperandChecks.Own<HostLossTotals>(backend, totals, nameof(totals));
        float* x = backend.Address(logits); // [N, C]
        int* label = backend.Address<int>(labels); // [N]
        float* result = backend.AddressOrNull(gradient); // [N, C]
        long counted = 0;
        for (int i = 0; i < n; i++)
        {
            if (label[i] >= c) throw new InvalidCallException($"The label {label[i]} in row {i} is not one of the {c} classes 0..{c - 1}.");
            if (label[i] >= 0) counted++;
        }

        if (losses.Length < n)
        {
            losses = new double[n];
            hits = new bool[n];
        }

        const int OperationsPerClass = 8;
        threads.Split(n, 1, (long)n * c * OperationsPerClass, (_, from, to) =>
        {
            for (long i = from; i < to; i++) losses[i] = Row(x + i * c, c, label[i], scale, result == null ? null : result + i * c, out hits[i]);
        });
        double loss = 0;
        long correct = 0;
        for (int i = 0; i < n; i++)
        {
            loss += losses[i];
            if (hits[i]) correct++;
        }

        own.Add(loss, correct, counted);
    }

    /// <inheritdoc/>
    public void SoftmaxDivergence(LossOperands operands)
    {
        (int n, int c) = OperandChecks.SoftmaxDivergence(backend, operands);
        (Tensor logits, Tensor targets, float scale, Tensor? gradient, LossTotals totals) = operands;
        HostLossTotals own = OperandChecks.Own<HostLossTotals>(backend, totals, nameof(totals));
        float* x = backend.Address(logits), target = backend.Address(targets); // [N, C]
        float* result = backend.AddressOrNull(gradient); // [N, C]
        if (losses.Length < n)
        {
            losses = new double[n];
            hits = new bool[n];
        }

        const int OperationsPerClass = 40;
        threads.Split(n, 1, (long)n * c * OperationsPerClass, (_, from, to) =>
        {
            for (long i = from; i < to; i++)
                losses[i] = DivergenceRow(x + i * c, target + i * c, c, scale, result == null ? null : result + i * c, out hits[i]);
        });
        double loss = 0;
        long agreed = 0;
        for (int i = 0; i < n; i++)
        {
            loss += losses[i];
            if (hits[i]) agreed++;
        }

        own.Add(loss, agreed, n);
    }

    /// <inheritdoc/>
    public void MeanSquaredError(LossOperands operands)
    {
        (int n, int d) = OperandChecks.MeanSquaredError(backend, operands);
        (Tensor predictions, Tensor targets, float scale, Tensor? gradient, LossTotals totals) = operands;
        HostLossTotals own = OperandChecks.Own<HostLossTotals>(backend, totals, nameof(totals));
        double sum = squares.Run(
            backend.Address(predictions), backend.Address(targets), (long)n * d, (float)(scale * 2.0 / d), backend.AddressOrNull(gradient));
        own.Add(sum / d, 0, n);
    }

    /// <inheritdoc/>
    public void FisherDirections(FisherOperands operands)
    {
        (int n, int c) = OperandChecks.FisherDirections(backend, operands);
        float* x = backend.Address(operands.Logits), z = backend.Address(operands.Normals); // [N, C]
        threads.Split(n, 1, (long)n * c, (_, first, end) =>
        {
            for (long row = first; row < end; row++) FisherDirection(x + row * c, z + row * c, c);
        });
    }

    // Logits s and z of one row [C]; s becomes u.
    private static void FisherDirection(float* s, float* z, int classes)
    {
        float largest = s[0];
        for (int j = 1; j < classes; j++) largest = MathF.Max(largest, s[j]);
        double sum = 0, inner = 0;
        for (int j = 0; j < classes; j++) sum += s[j] = MathF.Exp(s[j] - largest);
        for (int j = 0; j < classes; j++)
        {
            s[j] = (float)Math.Sqrt(s[j] / sum);
            inner += s[j] * z[j];
        }

        for (int j = 0; j < classes; j++) s[j] *= z[j] - s[j] * (float)inner;
    }

    // Double precision throughout: the divergence of nearly equal rows is a small difference of large numbers.
    private static double DivergenceRow(float* x, float* target, int classes, float scale, float* gradient, out bool isHit)
    {
        float largest = SoftmaxRow.Largest(x, classes), largestTarget = SoftmaxRow.Largest(target, classes);
        isHit = new ReadOnlySpan<float>(x, classes).IndexOf(largest) == new ReadOnlySpan<float>(target, classes).IndexOf(largestTarget);
        double sum = 0, sumTarget = 0;
        for (int j = 0; j < classes; j++)
        {
            sum += Math.Exp((double)x[j] - largest);
            sumTarget += Math.Exp((double)target[j] - largestTarget);
        }

        double log = largest + Math.Log(sum), logTarget = largestTarget + Math.Log(sumTarget), loss = 0;
        for (int j = 0; j < classes; j++)
        {
            double share = Math.Exp(target[j] - logTarget);
            if (share > 0) loss += share * ((target[j] - logTarget) - (x[j] - log));
            if (gradient != null) gradient[j] = (float)(scale * (Math.Exp(x[j] - log) - share));
        }

        return double.IsNaN(log + logTarget) ? double.NaN : loss;
    }

    // The loss of one row of logits, and its gradient where there is a place for it.
    private static double Row(float* x, int classes, int label, float scale, float* gradient, out bool isHit)
    {
        isHit = false;
        if (label < 0)
        {
            if (gradient != null) new Span<float>(gradient, classes).Clear();
            return 0;
        }

        float largest = SoftmaxRow.Largest(x, classes);
        float right = x[label];
        isHit = right == largest && new ReadOnlySpan<float>(x, label).IndexOf(largest) < 0;
        double sum = SoftmaxRow.SumOfExponentials(x, classes, largest, gradient);
        if (gradient != null)
        {
            Elementwise.Run(new Scale(gradient, (float)(scale / sum)), 0, classes);
            gradient[label] = (float)(scale * (Math.Exp((double)right - largest) / sum - 1));
        }

        return Math.Log(sum) - ((double)right - largest);
    }
}
