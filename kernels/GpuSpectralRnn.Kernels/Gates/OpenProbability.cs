using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>p[i] = the probability that a gate of logAlpha[i] is open; p may be logAlpha.</summary>
public readonly struct OpenProbability(ArrayView<float> logAlpha, ArrayView<float> p) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => p[element] = HardConcrete.Open(logAlpha[element]);
}

/// <summary>Backward of <see cref="OpenProbability"/>: gradient[i] += d[i] p[i] (1 - p[i]).</summary>
public readonly struct OpenProbabilityBackward(
    ArrayView<float> logAlpha, // [count]
    ArrayView<float> d, // [count], the probabilities' gradient
    ArrayView<float> gradient) // [count]
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => gradient[element] += d[element] * HardConcrete.OpenSlope(logAlpha[element]);
}
