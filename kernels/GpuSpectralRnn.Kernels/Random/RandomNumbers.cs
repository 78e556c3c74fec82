using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Uniform numbers of [low, high) from <see cref="Philox"/>.</summary>
public readonly struct UniformNumbers(
    ArrayView<float> target, // [count]
    ulong seed,
    ulong sequence,
    float low,
    float high)
    : IElementKernel
{
    private readonly float low = low;
    private readonly float scale = high - low;
    private readonly float largest = MathF.BitDecrement(high); // rounding must not reach the range's open end

    /// <inheritdoc/>
    public void Run(int element)
    {
        float value = low + scale * Philox.Uniform(seed, sequence, (ulong)element);
        target[element] = value < largest ? value : largest;
    }
}

/// <summary>Normal numbers from <see cref="Philox"/>.</summary>
public readonly struct NormalNumbers(
    ArrayView<float> target, // [count]
    ulong seed,
    ulong sequence,
    float mean,
    float deviation,
    NumberPlaces places)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        ulong number = places.Of(element);
        Philox.Block block = Philox.Generate(seed, sequence, number >> 1);
        bool isEven = (number & 1) == 0;
        float u = Philox.ToUniform(isEven ? block.X : block.Z);
        float v = Philox.ToUniform(isEven ? block.Y : block.W);
        float radius = MathF.Sqrt(-2f * Elementary.Log(1f - u));
        target[element] = mean + deviation * (radius * Elementary.CosOfTurn(v));
    }
}
