using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Optimiser steps as ILGPU kernels.</summary>
internal sealed class IlgpuOptimizerOps(IlgpuBackend backend) : IOptimizerOps, IDisposable
{
    private readonly Optimizers optimizers = new(backend.Loader);
    private readonly Masking masking = new(backend.Loader);
    private readonly GlobalNorm globalNorm = new(backend.Loader);

    /// <inheritdoc/>
    public void Sgd(Tensor parameters, Tensor gradients, float rate, float weightDecay)
    {
        OperandChecks.Optimizer(backend, parameters, gradients);
        OptimizerStep step = new() { Count = backend.Count(parameters), Rate = rate, Decay = weightDecay };
        optimizers.RunSgd(backend.Stream, backend.View(parameters), backend.View(gradients), step);
    }

    /// <inheritdoc/>
    public void Momentum(Tensor parameters, Tensor gradients, Tensor velocity, float rate, float momentum, float weightDecay)
    {
        OperandChecks.Optimizer(backend, parameters, gradients, velocity);
        OptimizerStep step = new() { Count = backend.Count(parameters), Rate = rate, Decay = weightDecay, Beta1 = momentum };
        optimizers.RunMomentum(backend.Stream, backend.View(parameters), backend.View(gradients), backend.View(velocity), step);
    }

    /// <inheritdoc/>
    public void RmsProp(Tensor parameters, Tensor gradients, Tensor meanSquare, float rate, float alpha, float epsilon, float weightDecay)
    {
        OperandChecks.Optimizer(backend, parameters, gradients, meanSquare);
        OptimizerStep step = new() { Count = backend.Count(parameters), Rate = rate, Decay = weightDecay, Beta2 = alpha, Epsilon = epsilon };
        optimizers.RunRmsProp(backend.Stream, backend.View(parameters), backend.View(gradients), backend.View(meanSquare), step);
    }

    /// <inheritdoc/>
    public void Adam(
        Tensor parameters,
        Tensor gradients,
        Tensor firstMoment,
        Tensor secondMoment,
        float rate,
        float beta1,
        float beta2,
        float epsilon,
        float weightDecay,
        bool decoupled,
        long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        OperandChecks.Optimizer(backend, parameters, gradients, firstMoment, secondMoment);
        OptimizerStep numbers = new()
        {
            Count = backend.Count(parameters),
            Rate = (float)(rate / (1 - Math.Pow(beta1, step))),
            Decay = decoupled ? 0 : weightDecay,
            Shrink = decoupled ? 1 - rate * weightDecay : 1,
            Beta1 = beta1,
            Beta2 = beta2,
            Epsilon = epsilon,
            Correction = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step))),
        };
        optimizers.RunAdam(
            backend.Stream, backend.View(parameters), backend.View(gradients), backend.View(firstMoment), backend.View(secondMoment), numbers);
    }

    /// <inheritdoc/>
    public void Mask(Tensor parameters, Tensor mask)
    {
        OperandChecks.Optimizer(backend, parameters, mask);
        masking.Run(backend.Stream, backend.View(parameters), backend.View(mask), backend.Count(parameters));
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
