using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Squares added up element by element: sums[i] += x[i]^2.</summary>
public readonly struct Squares(ArrayView<float> x, ArrayView<float> sums) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => sums[element] += x[element] * x[element];
}
