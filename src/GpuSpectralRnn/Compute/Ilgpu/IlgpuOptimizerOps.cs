using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Optimiser steps as ILGPU kernels.</summary>
internal sealed class IlgpuOptimizerOps(IlgpuBackend backend) : IOptimizerOps, IDisposable
{
    private readonly Launcher<Sgd> sgd = backend.Loader.Elements<Sgd>();
    private readonly Launcher<Momentum> momentumSgd = backend.Loader.Elements<Momentum>();
    private readonly Launcher<RmsProp> rmsProp = backend.Loader.Elements<RmsProp>();
    private readonly Launcher<Adam> adam = backend.Loader.Elements<Adam>();
    private readonly Launcher<MultiplyInPlace> masking = backend.Loader.Elements<MultiplyInPlace>();
    private readonly GlobalNorm globalNorm = new(backend.Loader);

    /// <inheritdoc/>
    public void Sgd(Tensor parameters, Tensor gradients, float rate, float weightDecay)
    {
        OperandChecks.Optimizer(backend, parameters, gradients);
        sgd(backend.Stream, backend.Count(parameters), new(backend.View(parameters), backend.View(gradients), rate, weightDecay));
    }

    /// <inheritdoc/>
    public void Momentum(Tensor parameters, Tensor gradients, Tensor velocity, float rate, float momentum, float weightDecay)
    {
        OperandChecks.Optimizer(backend, parameters, gradients, velocity);
        momentumSgd(
            backend.Stream,
            backend.Count(parameters),
            new(backend.View(parameters), backend.View(gradients), backend.View(velocity), rate, momentum, weightDecay));
    }

    /// <inheritdoc/>
    public void RmsProp(Tensor parameters, Tensor gradients, Tensor meanSquare, float rate, float alpha, float epsilon, float weightDecay)
    {
        OperandChecks.Optimizer(backend, parameters, gradients, meanSquare);
        rmsProp(
            backend.Stream,
            backend.Count(parameters),
            new(backend.View(parameters), backend.View(gradients), backend.View(meanSquare), rate, alpha, epsilon, weightDecay));
    }

    /// <inheritdoc/>
    public void Adam(AdamStep step)
    {
        OperandChecks.Adam(backend, step);
        adam(
            backend.Stream,
            backend.Count(step.Parameters),
            new(
                backend.View(step.Parameters),
                backend.View(step.Gradients),
                backend.View(step.FirstMoment),
                backend.View(step.SecondMoment),
                step.Numbers));
    }

    /// <inheritdoc/>
    public void Mask(Tensor parameters, Tensor mask)
    {
        OperandChecks.Optimizer(backend, parameters, mask);
        masking(backend.Stream, backend.Count(parameters), new(backend.View(parameters), backend.View(mask)));
    }

    /// <inheritdoc/>
    public void ClipGlobalNorm(Tensor gradients, float limit, Tensor norm)
    {
        OperandChecks.ClipGlobalNorm(backend, gradients, limit, norm);
        globalNorm.Run(backend.Stream, backend.View(gradients), backend.View(norm), backend.Count(gradients), limit);
    }

    /// <inheritdoc/>
    public void Dispose() => globalNorm.Dispose();
}
