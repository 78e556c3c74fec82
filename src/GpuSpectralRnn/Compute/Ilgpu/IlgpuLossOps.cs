using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Losses as ILGPU kernels; sums stay on the device.</summary>
internal sealed class IlgpuLossOps : ILossOps, IDisposable
{
    private readonly IlgpuBackend backend;
    private readonly LossAccumulator accumulator;
    private readonly Loss<int> softmaxCrossEntropy;
    private readonly Loss<float> softmaxDivergence;
    private readonly Loss<float> meanSquaredError;
    private readonly FisherDirections fisherDirections;

    /// <summary>Loads the kernels.</summary>
    public IlgpuLossOps(IlgpuBackend backend)
    {
        this.backend = backend;
        accumulator = new LossAccumulator(backend.Loader);
        softmaxCrossEntropy = Losses.SoftmaxCrossEntropy(backend.Loader, accumulator);
        softmaxDivergence = Losses.SoftmaxDivergence(backend.Loader, accumulator);
        meanSquaredError = Losses.MeanSquaredError(backend.Loader, accumulator);
        fisherDirections = new FisherDirections(backend.Loader);
    }

    /// <inheritdoc/>
    public LossTotals CreateTotals() => new IlgpuLossTotals(backend);

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Tensor logits, Tensor labels, float scale, Tensor? gradient, LossTotals totals)
    {
        (int n, int c) = OperandChecks.SoftmaxCrossEntropy(backend, logits, labels, gradient);
        backend.Count(logits);
        IlgpuLossTotals own = OperandChecks.Own<IlgpuLossTotals>(backend, totals, nameof(totals));
        softmaxCrossEntropy.Run(
            backend.Stream, new(backend.View(logits), backend.View<int>(labels), backend.ViewOrNull(gradient), n, c, scale), own.Sums, own.Counts);
    }

    /// <inheritdoc/>
    public void SoftmaxDivergence(Tensor logits, Tensor targets, float scale, Tensor? gradient, LossTotals totals)
    {
        (int n, int c) = OperandChecks.SoftmaxDivergence(backend, logits, targets, gradient);
        backend.Count(logits);
        IlgpuLossTotals own = OperandChecks.Own<IlgpuLossTotals>(backend, totals, nameof(totals));
        softmaxDivergence.Run(
            backend.Stream, new(backend.View(logits), backend.View(targets), backend.ViewOrNull(gradient), n, c, scale), own.Sums, own.Counts);
    }

    /// <inheritdoc/>
    public void MeanSquaredError(Tensor predictions, Tensor targets, float scale, Tensor? gradient, LossTotals totals)
    {
        (int n, int d) = OperandChecks.MeanSquaredError(backend, predictions, targets, gradient);
        backend.Count(predictions);
        IlgpuLossTotals own = OperandChecks.Own<IlgpuLossTotals>(backend, totals, nameof(totals));
        meanSquaredError.Run(
            backend.Stream, new(backend.View(predictions), backend.View(targets), backend.ViewOrNull(gradient), n, d, scale * 2 / d), own.Sums, own.Counts);
    }

    /// <inheritdoc/>
    public void FisherDirections(Tensor logits, Tensor normals)
    {
        (int n, int c) = OperandChecks.FisherDirections(backend, logits, normals);
        backend.Count(logits);
        fisherDirections.Run(backend.Stream, backend.View(logits), backend.View(normals), n, c);
    }

    /// <inheritdoc/>
    public void Dispose() => accumulator.Dispose();
}
