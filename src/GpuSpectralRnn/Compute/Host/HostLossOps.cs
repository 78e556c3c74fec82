namespace GpuSpectralRnn.Compute.Host;

/// <summary>Losses on the processor; sums in double precision.</summary>
internal sealed unsafe class HostLossOps(HostBackend backend) : ILossOps
{
    /// <inheritdoc/>
    public LossTotals CreateTotals() => new HostLossTotals();

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, float scale, Tensor? gradient, LossTotals totals)
    {
        (int n, int c) = OperandChecks.SoftmaxCrossEntropy(backend, logits, labels, gradient);
        float* x = backend.Address(logits);
        int* label = backend.Address<int>(labels);
        float* result = backend.AddressOrNull(gradient);
        double loss = 0;
        long correct = 0;
        long counted = 0;
        for (long i = 0; i < n; i++)
        {
            if (label[i] >= c) throw new InvalidCallException($"The label {label[i]} in row {i} is not one of the {c} classes 0..{c - 1}.");
            float* row = x + i * c; // [C]
            float* slope = result + i * c; // [C]
            if (label[i] < 0)
            {
                if (result is not null) new Span<float>(slope, c).Clear();
                continue;
            }

            int best = 0;
            for (int j = 1; j < c; j++)
            {
                if (row[j] > row[best]) best = j;
            }

            float largest = row[best];
            double sum = 0;
            for (int j = 0; j < c; j++) sum += Math.Exp(row[j] - largest);
            loss += Math.Log(sum) - (row[label[i]] - largest);
            if (best == label[i]) correct++;
            counted++;
            if (result is null) continue;
            for (int j = 0; j < c; j++) slope[j] = scale * (float)(Math.Exp(row[j] - largest) / sum - (j == label[i] ? 1 : 0));
        }

        ((HostLossTotals)totals).Add(loss, correct, counted);
    }

    /// <inheritdoc/>
    public void MeanSquaredError(Tensor predictions, Tensor targets, float scale, Tensor? gradient, LossTotals totals)
    {
        (int n, int d) = OperandChecks.MeanSquaredError(backend, predictions, targets, gradient);
        float* y = backend.Address(predictions);
        float* target = backend.Address(targets);
        float* result = backend.AddressOrNull(gradient);
        float factor = scale * 2 / d;
        double sum = 0;
        for (long i = 0; i < (long)n * d; i++)
        {
            float difference = y[i] - target[i];
            sum += (double)difference * difference;
            if (result is not null) result[i] = factor * difference;
        }

        ((HostLossTotals)totals).Add(sum / d, 0, n);
    }
}
