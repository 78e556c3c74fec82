using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Optimiser steps on the processor. Gradients are only read, except by clipping.</summary>
internal sealed unsafe class HostOptimizerOps(HostBackend backend, HostParallel threads) : IOptimizerOps
{
    private readonly SquareSum squares = new(threads);

    /// <inheritdoc/>
    public void Sgd(Tensor parameters, Tensor gradients, float rate, float weightDecay)
    {
        long count = OperandChecks.Optimizer(backend, parameters, gradients);
        Elementwise.Run(threads, count, new OptimizerPointwise.Sgd(backend.Address(parameters), backend.Address(gradients), rate, weightDecay));
    }

    /// <inheritdoc/>
    public void Momentum(Tensor parameters, Tensor gradients, Tensor velocity, float rate, float momentum, float weightDecay)
    {
        long count = OperandChecks.Optimizer(backend, parameters, gradients, velocity);
        Elementwise.Run(threads, count, new OptimizerPointwise.Momentum(
            backend.Address(parameters), backend.Address(gradients), backend.Address(velocity), rate, momentum, weightDecay));
    }

    /// <inheritdoc/>
    public void RmsProp(Tensor parameters, Tensor gradients, Tensor meanSquare, float rate, float alpha, float epsilon, float weightDecay)
    {
        long count = OperandChecks.Optimizer(backend, parameters, gradients, meanSquare);
        Elementwise.Run(threads, count, new OptimizerPointwise.RmsProp(
            backend.Address(parameters), backend.Address(gradients), backend.Address(meanSquare), rate, alpha, epsilon, weightDecay));
    }

    /// <inheritdoc/>
    public void Adam(AdamStep step)
    {
        long count = OperandChecks.Adam(backend, step);
        Elementwise.Run(threads, count, new OptimizerPointwise.Adam(
            backend.Address(step.Parameters),
            backend.Address(step.Gradients),
            backend.Address(step.FirstMoment),
            backend.Address(step.SecondMoment),
            step.Numbers));
    }

    /// <inheritdoc/>
    public void Mask(Tensor parameters, Tensor mask)
    {
        long count = OperandChecks.Optimizer(backend, parameters, mask);
        Elementwise.Run(threads, count, new OptimizerPointwise.Mask(backend.Address(parameters), backend.Address(mask)));
    }

    /// <inheritdoc/>
    public void ClipGlobalNorm(Tensor gradients, float limit, Tensor norm)
    {
        long count = OperandChecks.ClipGlobalNorm(backend, gradients, limit, norm);
        float* g = backend.Address(gradients);
        double length = Math.Sqrt(squares.Run(g, count));
        *backend.Address(norm) = (float)length;
        float factor = (float)Math.Min(1, limit / (length + 1e-6));
        if (factor != 1) Elementwise.Run(threads, count, new Scale(g, factor));
    }
}
