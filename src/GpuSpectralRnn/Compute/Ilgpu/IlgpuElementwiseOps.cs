using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Operations on each number by itself, as ILGPU kernels.</summary>
internal sealed class IlgpuElementwiseOps(IlgpuBackend backend) : IElementwiseOps
{
    private readonly IActivationKernels relu = new ActivationKernels<Relu>(backend);
    private readonly IActivationKernels tanh = new ActivationKernels<HyperbolicTangent>(backend);
    private readonly IActivationKernels sigmoid = new ActivationKernels<Logistic>(backend);
    private readonly Launcher<ElementProduct> product = backend.Loader.Elements<ElementProduct>();
    private readonly Launcher<ElementProductBackward> productBackward = backend.Loader.Elements<ElementProductBackward>();
    private readonly Launcher<HighwayOutput> highway = backend.Loader.Elements<HighwayOutput>();
    private readonly Launcher<HighwayGradients> highwayBackward = backend.Loader.Elements<HighwayGradients>();
    private readonly Launcher<AddScaled> addScaled = backend.Loader.Elements<AddScaled>();
    private readonly Launcher<AddMultiple> addMultiple = backend.Loader.Elements<AddMultiple>();

    private interface IActivationKernels
    {
        void Forward(Tensor x, Tensor y);

        void Backward(ActivationBackward o);
    }

    /// <inheritdoc/>
    public void Activate(ActivationKind kind, Tensor x, Tensor y)
    {
        OperandChecks.Known(kind);
        OperandChecks.Elementwise(backend, y, x);
        KernelsOf(kind).Forward(x, y);
    }

    /// <inheritdoc/>
    public void ActivateBackward(ActivationBackward operands)
    {
        OperandChecks.ActivationBackward(backend, operands);
        KernelsOf(operands.Kind).Backward(operands);
    }

    /// <inheritdoc/>
    public void Multiply(Tensor a, Tensor b, Tensor y)
    {
        OperandChecks.Elementwise(backend, y, a, b);
        product(backend.Stream, backend.Count(y), new(backend.View(a), backend.View(b), backend.View(y)));
    }

    /// <inheritdoc/>
    public void MultiplyBackward(MultiplyBackward operands)
    {
        OperandChecks.MultiplyBackward(backend, operands);
        productBackward(
            backend.Stream,
            backend.Count(operands.OutputGradient),
            new(
                backend.View(operands.A),
                backend.View(operands.B),
                backend.View(operands.OutputGradient),
                backend.ViewOrNull(operands.AGradient),
                backend.ViewOrNull(operands.BGradient)));
    }

    /// <inheritdoc/>
    public void Highway(HighwayForward operands)
    {
        OperandChecks.HighwayForward(backend, operands);
        highway(
            backend.Stream,
            backend.Count(operands.Output),
            new(backend.View(operands.Gate), backend.View(operands.Candidate), backend.View(operands.Input), backend.View(operands.Output)));
    }

    /// <inheritdoc/>
    public void HighwayBackward(HighwayBackward operands)
    {
        OperandChecks.HighwayBackward(backend, operands);
        highwayBackward(
            backend.Stream,
            backend.Count(operands.OutputGradient),
            new(
                backend.View(operands.Gate),
                backend.View(operands.Candidate),
                backend.View(operands.Input),
                backend.View(operands.OutputGradient),
                backend.View(operands.GateGradient),
                backend.View(operands.CandidateGradient),
                backend.ViewOrNull(operands.InputGradient)));
    }

    /// <inheritdoc/>
    public void AddScaled(float alpha, Tensor x, Tensor y)
    {
        OperandChecks.Elementwise(backend, y, x);
        addScaled(backend.Stream, backend.Count(y), new(alpha, backend.View(x), backend.View(y)));
    }

    /// <inheritdoc/>
    public void AddMultiple(AddMultipleOperands operands)
    {
        OperandChecks.AddMultiple(backend, operands);
        (float alpha, Tensor number, Tensor? x, Tensor y) = operands;
        addMultiple(backend.Stream, backend.Count(y), new(alpha, backend.View(number), backend.ViewOrNull(x), backend.View(y)));
    }

    private IActivationKernels KernelsOf(ActivationKind kind) => kind switch
    {
        ActivationKind.Relu => relu,
        ActivationKind.Tanh => tanh,
        _ => sigmoid,
    };

    private sealed class ActivationKernels<TActivation>(IlgpuBackend backend) : IActivationKernels
        where TActivation : struct, IActivation
    {
        private readonly Launcher<Activate<TActivation>> forward = backend.Loader.Elements<Activate<TActivation>>();
        private readonly Launcher<ActivateBackward<TActivation>> backward = backend.Loader.Elements<ActivateBackward<TActivation>>();

        public void Forward(Tensor x, Tensor y) => forward(backend.Stream, backend.Count(y), new(backend.View(x), backend.View(y)));

        public void Backward(ActivationBackward o) => backward(
            backend.Stream,
            backend.Count(o.InputGradient),
            new(backend.View(o.Output), backend.View(o.OutputGradient), backend.View(o.InputGradient)));
    }
}
