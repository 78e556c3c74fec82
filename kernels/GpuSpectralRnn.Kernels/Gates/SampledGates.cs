using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>z[i] = the hard-concrete gate of logAlpha[i] and uniform number i of a stream; z may be logAlpha.</summary>
public readonly struct SampledGates(
    ArrayView<float> logAlpha, // [count]
    ArrayView<float> z, // [count]
    ulong seed,
    ulong sequence)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => z[element] = HardConcrete.Sampled(logAlpha[element], HardConcrete.Uniform(seed, sequence, (ulong)element));
}

/// <summary>Backward of <see cref="SampledGates"/>, from the gates: gradient[i] += d[i] dz[i] / d log alpha[i].</summary>
public readonly struct SampledGatesBackward(
    ArrayView<float> z, // [count]
    ArrayView<float> d, // [count], the gates' gradient
    ArrayView<float> gradient) // [count]
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => gradient[element] += HardConcrete.Back(z[element], d[element]);
}
