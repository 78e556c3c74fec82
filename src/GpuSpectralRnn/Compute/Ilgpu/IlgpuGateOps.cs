using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Hard-concrete gates as ILGPU kernels.</summary>
internal sealed class IlgpuGateOps(IlgpuBackend backend) : IGateOps
{
    private readonly Launcher<SampledGates> sample = backend.Loader.Elements<SampledGates>();
    private readonly Launcher<SampledGatesBackward> sampleBackward = backend.Loader.Elements<SampledGatesBackward>();
    private readonly Launcher<TestGates> testGates = backend.Loader.Elements<TestGates>();
    private readonly Launcher<OpenProbability> open = backend.Loader.Elements<OpenProbability>();
    private readonly Launcher<OpenProbabilityBackward> openBackward = backend.Loader.Elements<OpenProbabilityBackward>();
    private readonly Launcher<ClampLogAlpha> clamp = backend.Loader.Elements<ClampLogAlpha>();

    /// <inheritdoc/>
    public void Sample(GateSample operands)
    {
        OperandChecks.GateSample(backend, operands);
        (Tensor logAlpha, ulong seed, ulong stream, Tensor gates) = operands;
        sample(backend.Stream, backend.Count(gates), new(backend.View(logAlpha), backend.View(gates), seed, stream));
    }

    /// <inheritdoc/>
    public void SampleBackward(GateSampleBackward operands)
    {
        OperandChecks.GateSampleBackward(backend, operands);
        (Tensor gates, Tensor gateGradient, Tensor logAlphaGradient) = operands;
        sampleBackward(
            backend.Stream, backend.Count(gates), new(backend.View(gates), backend.View(gateGradient), backend.View(logAlphaGradient)));
    }

    /// <inheritdoc/>
    public void TestGates(Tensor logAlpha, Tensor gates)
    {
        OperandChecks.Elementwise(backend, gates, logAlpha);
        testGates(backend.Stream, backend.Count(gates), new(backend.View(logAlpha), backend.View(gates)));
    }

    /// <inheritdoc/>
    public void OpenProbabilities(Tensor logAlpha, Tensor probabilities)
    {
        OperandChecks.Elementwise(backend, probabilities, logAlpha);
        open(backend.Stream, backend.Count(probabilities), new(backend.View(logAlpha), backend.View(probabilities)));
    }

    /// <inheritdoc/>
    public void OpenProbabilitiesBackward(OpenProbabilitiesBackward operands)
    {
        OperandChecks.OpenProbabilitiesBackward(backend, operands);
        (Tensor logAlpha, Tensor probabilityGradient, Tensor logAlphaGradient) = operands;
        openBackward(
            backend.Stream,
            backend.Count(logAlpha),
            new(backend.View(logAlpha), backend.View(probabilityGradient), backend.View(logAlphaGradient)));
    }

    /// <inheritdoc/>
    public void Clamp(Tensor logAlpha)
    {
        OperandChecks.Float(backend, logAlpha);
        clamp(backend.Stream, backend.Count(logAlpha), new(backend.View(logAlpha)));
    }
}
