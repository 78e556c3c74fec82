using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>target[i] = value.</summary>
public readonly struct Fill(ArrayView<float> target, float value) : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => target[element] = value;
}

/// <summary>target[i, j] = row[j]: the bias, to which a product is added.</summary>
public readonly struct FillRows(
    ArrayView<float> target, // [rows, columns]
    ArrayView<float> row, // [columns]
    int columns)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element) => target[element] = row[element % columns];
}
