using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Operations on each number by itself, on the processor.</summary>
internal sealed unsafe class HostElementwiseOps(HostBackend backend, HostParallel threads) : IElementwiseOps
{
    /// <inheritdoc/>
    public void Activate(ActivationKind kind, Tensor x, Tensor y)
    {
        OperandChecks.Known(kind);
        long count = OperandChecks.Elementwise(backend, y, x);
        if (kind == ActivationKind.Relu) Activate<Relu>(count, x, y);
        else if (kind == ActivationKind.Tanh) Activate<HyperbolicTangent>(count, x, y);
        else Activate<Logistic>(count, x, y);
    }

    /// <inheritdoc/>
    public void ActivateBackward(ActivationBackward operands)
    {
        long count = OperandChecks.ActivationBackward(backend, operands);
        if (operands.Kind == ActivationKind.Relu) ActivateBackward<Relu>(count, operands);
        else if (operands.Kind == ActivationKind.Tanh) ActivateBackward<HyperbolicTangent>(count, operands);
        else ActivateBackward<Logistic>(count, operands);
    }

    /// <inheritdoc/>
    public void Multiply(Tensor a, Tensor b, Tensor y)
    {
        long count = OperandChecks.Elementwise(backend, y, a, b);
        Elementwise.Run(threads, count, new ElementProduct(backend.Address(a), backend.Address(b), backend.Address(y)));
    }

    /// <inheritdoc/>
    public void MultiplyBackward(MultiplyBackward operands)
    {
        long count = OperandChecks.MultiplyBackward(backend, operands);
        float* slope = backend.Address(operands.OutputGradient);
        Elementwise.Run(
            threads,
            count,
            new ElementProductBackward(
                backend.Address(operands.A),
                backend.Address(operands.B),
                slope,
                backend.AddressOrNull(operands.AGradient),
                backend.AddressOrNull(operands.BGradient)));
    }

    /// <inheritdoc/>
    public void Highway(HighwayForward operands)
    {
        long count = OperandChecks.HighwayForward(backend, operands);
        float* y = backend.Address(operands.Output);
        Elementwise.Run(
            threads,
            count,
            new HighwayOutput(backend.Address(operands.Gate), backend.Address(operands.Candidate), backend.Address(operands.Input), y));
    }

    /// <inheritdoc/>
    public void HighwayBackward(HighwayBackward operands)
    {
        long count = OperandChecks.HighwayBackward(backend, operands);
        Elementwise.Run(
            threads,
            count,
            new HighwayGradients(
                backend.Address(operands.Gate),
                backend.Address(operands.Candidate),
                backend.Address(operands.Input),
                backend.Address(operands.OutputGradient),
                backend.Address(operands.GateGradient),
                backend.Address(operands.CandidateGradient),
                backend.AddressOrNull(operands.InputGradient)));
    }

    /// <inheritdoc/>
    public void AddScaled(float alpha, Tensor x, Tensor y)
    {
        long count = OperandChecks.Elementwise(backend, y, x);
        Elementwise.Run(threads, count, new AddScaled(alpha, backend.Address(x), backend.Address(y)));
    }

    /// <inheritdoc/>
    public void AddMultiple(AddMultipleOperands operands)
    {
        long count = OperandChecks.AddMultiple(backend, operands);
        float factor = operands.Alpha * *backend.Address(operands.Number);
        float* y = backend.Address(operands.Y);
        if (operands.X is null) Elementwise.Run(threads, count, new AddNumber(factor, y));
        else Elementwise.Run(threads, count, new AddScaled(factor, backend.Address(operands.X), y));
    }

    private void Activate<TNonlinearity>(long count, Tensor x, Tensor y)
        where TNonlinearity : struct, INonlinearity =>
        Elementwise.Run(threads, count, new Activate<TNonlinearity>(backend.Address(x), backend.Address(y)));

    private void ActivateBackward<TNonlinearity>(long count, ActivationBackward o)
        where TNonlinearity : struct, INonlinearity =>
        Elementwise.Run(
            threads,
            count,
            new ActivateBackward<TNonlinearity>(backend.Address(o.Output), backend.Address(o.OutputGradient), backend.Address(o.InputGradient)));
}
