using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Optimiser steps on the processor. Gradients are only read, except by clipping.</summary>
internal sealed unsafe class HostOptimizerOps(HostBackend backend, HostParallel threads) : IOptimizerOps
{
    private readonly SquareSum squares = new(threads);

    /// <inheritdoc/>
    public void Sgd(SgdStep step)
    {
        long count = OperandChecks.Optimizer(backend, step.Parameters, step.Gradients);
        Elementwise.Run(
            threads, count, new OptimizerPointwise.Sgd(backend.Address(step.Parameters), backend.Address(step.Gradients), step.Numbers));
    }

    /// <inheritdoc/>
    public void Momentum(MomentumStep step)
    {
        long count = OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.Velocity);
        Elementwise.Run(threads, count, new OptimizerPointwise.Momentum(
            backend.Address(step.Parameters), backend.Address(step.Gradients), backend.Address(step.Velocity), step.Numbers));
    }

    /// <inheritdoc/>
    public void RmsProp(RmsPropStep step)
    {
        long count = OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.MeanSquare);
        Elementwise.Run(threads, count, new OptimizerPointwise.RmsProp(
            backend.Address(step.Parameters), backend.Address(step.Gradients), backend.Address(step.MeanSquare), step.Numbers));
    }

    /// <inheritdoc/>
    public void Adadelta(AdadeltaStep step)
    {
        long count = OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.MeanSquare, step.ChangeSquare);
        Elementwise.Run(threads, count, new OptimizerPointwise.Adadelta(
            backend.Address(step.Parameters),
            backend.Address(step.Gradients),
            backend.Address(step.MeanSquare),
            backend.Address(step.ChangeSquare),
            step.Numbers));
    }

    /// <inheritdoc/>
    public void Adam(AdamStep step)
    {
        long count = OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.FirstMoment, step.SecondMoment);
        Elementwise.Run(threads, count, new OptimizerPointwise.Adam(
            backend.Address(step.Parameters),
            backend.Address(step.Gradients),
            backend.Address(step.FirstMoment),
            backend.Address(step.SecondMoment),
            step.Numbers));
    }

    /// <inheritdoc/>
    public void Mask(MaskOperands operands)
    {
        long count = OperandChecks.Optimizer(backend, operands.Parameters, operands.Mask);
        Elementwise.Run(threads, count, new OptimizerPointwise.Mask(backend.Address(operands.Parameters), backend.Address(operands.Mask)));
    }

    /// <inheritdoc/>
    public void ShrinkGroups(GroupShrink step) => ShrunkGroups.Run(
        step.Numbers,
        OperandChecks.ShrinkGroups(backend, step),
        new(
            backend.Address(step.Squares), backend.Address(step.Before), backend.Address(step.Factors), backend.Address(step.Count),
            *backend.Address(step.Penalty), *backend.Address(step.Scale)));

    /// <inheritdoc/>
    public void ClipGlobalNorm(ClipOperands operands)
    {
        long count = OperandChecks.ClipGlobalNorm(backend, operands);
        float* g = backend.Address(operands.Gradients);
        double length = Math.Sqrt(squares.Run(g, count));
        *backend.Address(operands.Norm) = (float)length;
        float factor = (float)Math.Min(1, operands.Limit / (length + 1e-6));
        if (factor != 1) Elementwise.Run(threads, count, new Scale(g, factor));
    }
}
