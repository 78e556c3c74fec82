using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Dropout by <see cref="Philox"/>: the mask is a function of seed, stream and index and is not stored. y[i] = scale x[i], or 0 where uniform
/// number i of the window is below the rate.
/// </summary>
public readonly struct Dropout(
    ArrayView<float> x, // [count]
    ArrayView<float> y, // [count]
    ulong seed,
    ulong sequence,
    float rate,
    float scale,
    NumberPlaces places)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        float kept = scale * x[element];
        y[element] = Philox.Uniform(seed, sequence, places.Of(element)) < rate ? 0f : kept;
    }
}
