using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>values[i] *= factors[i]; weights are taken away by a mask of zeros and ones.</summary>
public readonly struct MultiplyInPlace(ArrayView<float> values, ArrayView<float> factors) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => values[element] *= factors[element];
}
