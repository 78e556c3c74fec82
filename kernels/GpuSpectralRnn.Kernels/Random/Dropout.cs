using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Dropout by <see cref="Philox"/>: the mask is a function of seed, stream and index and is not stored. y[i] = scale x[i], or 0 where uniform
/// number first + i + (i / period) gap is below the rate.
/// </summary>
public readonly struct Dropout(
    ArrayView<float> x, // [count]
    ArrayView<float> y, // [count]
    ulong seed,
    ulong sequence,
    float rate,
    float scale,
    ulong first,
    int period,
    ulong gap)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        ulong number = first + (ulong)element + ((ulong)(element / period) * gap);
        float kept = scale * x[element];
        y[element] = Philox.Uniform(seed, sequence, number) < rate ? 0f : kept;
    }
}
