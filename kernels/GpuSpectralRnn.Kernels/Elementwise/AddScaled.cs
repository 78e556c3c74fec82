using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>y[i] += alpha x[i]; x may be y.</summary>
public readonly struct AddScaled(float alpha, ArrayView<float> x, ArrayView<float> y) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => y[element] += alpha * x[element];
}
