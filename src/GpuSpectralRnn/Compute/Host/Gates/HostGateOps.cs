using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Hard-concrete gates on the processor: gates and probabilities by the kernels' own arithmetic, a number at a time on all threads; the rest by vectors.
/// </summary>
internal sealed unsafe class HostGateOps(HostBackend backend, HostParallel threads) : IGateOps
{
    private const int OperationsPerNumber = 256;

    /// <inheritdoc/>
    public void Sample(GateSample operands)
    {
        long count = OperandChecks.GateSample(backend, operands);
        (Tensor logAlpha, ulong seed, ulong stream, Tensor gates) = operands;
        float* source = backend.Address(logAlpha);
        float* z = backend.Address(gates);
        Each(count, i => z[i] = HardConcrete.Sampled(source[i], HardConcrete.Uniform(seed, stream, (ulong)i)));
    }

    /// <inheritdoc/>
    public void SampleBackward(GateSampleBackward operands)
    {
        long count = OperandChecks.GateSampleBackward(backend, operands);
        (Tensor gates, Tensor gateGradient, Tensor logAlphaGradient) = operands;
        Elementwise.Run(
            threads, count, new SampledGatesBackward(backend.Address(gates), backend.Address(gateGradient), backend.Address(logAlphaGradient)));
    }

    /// <inheritdoc/>
    public void TestGates(Tensor logAlpha, Tensor gates)
    {
        long count = OperandChecks.Elementwise(backend, gates, logAlpha);
        float* source = backend.Address(logAlpha);
        float* z = backend.Address(gates);
        Each(count, i => z[i] = HardConcrete.Tested(source[i]));
    }

    /// <inheritdoc/>
    public void OpenProbabilities(Tensor logAlpha, Tensor probabilities)
    {
        long count = OperandChecks.Elementwise(backend, probabilities, logAlpha);
        float* source = backend.Address(logAlpha);
        float* p = backend.Address(probabilities);
        Each(count, i => p[i] = HardConcrete.Open(source[i]));
    }

    /// <inheritdoc/>
    public void OpenProbabilitiesBackward(OpenProbabilitiesBackward operands)
    {
        long count = OperandChecks.OpenProbabilitiesBackward(backend, operands);
        float* source = backend.Address(operands.LogAlpha);
        float* d = backend.Address(operands.ProbabilityGradient);
        float* gradient = backend.Address(operands.LogAlphaGradient);
        Each(count, i => gradient[i] += d[i] * HardConcrete.OpenSlope(source[i]));
    }

    /// <inheritdoc/>
    public void Clamp(Tensor logAlpha)
    {
        long count = OperandChecks.Float(backend, logAlpha);
        Elementwise.Run(threads, count, new ClampLogAlpha(backend.Address(logAlpha)));
    }

    private void Each(long count, Action<long> number) => threads.Split(count, 64, count * OperationsPerNumber, (_, from, to) =>
    {
        for (long i = from; i < to; i++) number(i);
    });
}
