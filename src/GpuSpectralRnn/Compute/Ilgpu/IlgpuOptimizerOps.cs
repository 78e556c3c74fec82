using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Optimiser steps as ILGPU kernels.</summary>
internal sealed class IlgpuOptimizerOps(IlgpuBackend backend) : IOptimizerOps, IDisposable
{
    private readonly Launcher<Sgd> sgd = backend.Loader.Elements<Sgd>();
    private readonly Launcher<Momentum> momentum = backend.Loader.Elements<Momentum>();
    private readonly Launcher<RmsProp> rmsProp = backend.Loader.Elements<RmsProp>();
    private readonly Launcher<Adadelta> adadelta = backend.Loader.Elements<Adadelta>();
    private readonly Launcher<Adam> adam = backend.Loader.Elements<Adam>();
    private readonly Launcher<MultiplyInPlace> masking = backend.Loader.Elements<MultiplyInPlace>();
    private readonly Launcher<ShrunkGroups> shrink = backend.Loader.Elements<ShrunkGroups>();
    private readonly GlobalNorm globalNorm = new(backend.Loader);

    /// <inheritdoc/>
    public void Sgd(SgdStep step)
    {
        OperandChecks.Optimizer(backend, step.Parameters, step.Gradients);
        sgd(backend.Stream, backend.Count(step.Parameters), new(backend.View(step.Parameters), backend.View(step.Gradients), step.Numbers));
    }

    /// <inheritdoc/>
    public void Momentum(MomentumStep step)
    {
        OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.Velocity);
        momentum(
            backend.Stream,
            backend.Count(step.Parameters),
            new(backend.View(step.Parameters), backend.View(step.Gradients), backend.View(step.Velocity), step.Numbers));
    }

    /// <inheritdoc/>
    public void RmsProp(RmsPropStep step)
    {
        OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.MeanSquare);
        rmsProp(
            backend.Stream,
            backend.Count(step.Parameters),
            new(backend.View(step.Parameters), backend.View(step.Gradients), backend.View(step.MeanSquare), step.Numbers));
    }

    /// <inheritdoc/>
    public void Adadelta(AdadeltaStep step)
    {
        OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.MeanSquare, step.ChangeSquare);
        adadelta(
            backend.Stream,
            backend.Count(step.Parameters),
            new(
                backend.View(step.Parameters),
                backend.View(step.Gradients),
                backend.View(step.MeanSquare),
                backend.View(step.ChangeSquare),
                step.Numbers));
    }

    /// <inheritdoc/>
    public void Adam(AdamStep step)
    {
        OperandChecks.Optimizer(backend, step.Parameters, step.Gradients, step.FirstMoment, step.SecondMoment);
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
    public void Mask(MaskOperands operands)
    {
        OperandChecks.Optimizer(backend, operands.Parameters, operands.Mask);
        masking(backend.Stream, backend.Count(operands.Parameters), new(backend.View(operands.Parameters), backend.View(operands.Mask)));
    }

    /// <inheritdoc/>
    public void ShrinkGroups(GroupShrink step)
    {
        int groups = OperandChecks.ShrinkGroups(backend, step);
        shrink(
            backend.Stream,
            groups,
            new(
                backend.View(step.Squares),
                backend.View(step.Before),
                backend.View(step.Penalty),
                backend.View(step.Scale),
                backend.View(step.Factors),
                backend.View(step.Count),
                step.Numbers.Amount,
                step.Numbers.Threshold,
                step.Numbers.Least,
                groups));
    }

    /// <inheritdoc/>
    public void ClipGlobalNorm(ClipOperands operands)
    {
        OperandChecks.ClipGlobalNorm(backend, operands);
        globalNorm.Run(
            backend.Stream, backend.View(operands.Gradients), backend.View(operands.Norm), backend.Count(operands.Gradients), operands.Limit);
    }

    /// <inheritdoc/>
    public void Dispose() => globalNorm.Dispose();
}
