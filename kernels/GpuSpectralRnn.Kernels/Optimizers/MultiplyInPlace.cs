using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>values[i] *= factors[i]; applies a mask of zeros and ones to parameters.</summary>
public readonly struct MultiplyInPlace(ArrayView<float> values, ArrayView<float> factors) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => values[element] *= factors[element];
}
