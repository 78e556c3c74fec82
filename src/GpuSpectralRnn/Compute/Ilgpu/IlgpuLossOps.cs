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
    public void SoftmaxCrossEntropy(LossOperands o) =>
        Run(softmaxCrossEntropy, o, OperandChecks.SoftmaxCrossEntropy(backend, o), o.Scale);

    /// <inheritdoc/>
    public void SoftmaxDivergence(LossOperands o) => Run(softmaxDivergence, o, OperandChecks.SoftmaxDivergence(backend, o), o.Scale);

    /// <inheritdoc/>
    public void MeanSquaredError(LossOperands o)
    {
        (int n, int d) = OperandChecks.MeanSquaredError(backend, o);
        Run(meanSquaredError, o, (n, d), o.Scale * 2 / d);
    }

    /// <inheritdoc/>
    public void FisherDirections(FisherOperands o)
    {
        (int n, int c) = OperandChecks.FisherDirections(backend, o);
        backend.Count(o.Logits);
        fisherDirections.Run(backend.Stream, new(backend.View(o.Logits), backend.View(o.Normals), n, c));
    }

    private void Run<TTarget>(Loss<TTarget> loss, in LossOperands o, (int Rows, int Columns) extents, float scale)
        where TTarget : unmanaged
    {
        backend.Count(o.Outputs);
        IlgpuLossTotals own = OperandChecks.Own<IlgpuLossTotals>(backend, o.Totals, nameof(o.Totals));
        loss.Run(
            backend.Stream,
            new(backend.View(o.Outputs), backend.View<TTarget>(o.Targets), backend.ViewOrNull(o.Gradient), extents.Rows, extents.Columns, scale),
            own.Views);
    }

    /// <inheritdoc/>
    public void Dispose() => accumulator.Dispose();
}
