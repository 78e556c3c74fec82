using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Fills with uniform and with normal numbers from <see cref="Philox"/>.</summary>
public sealed class RandomNumbers(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ulong, ulong, RandomRange> uniform =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ulong, ulong, RandomRange>>(Uniform);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ulong, ulong, RandomRange> normal =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ulong, ulong, RandomRange>>(Normal);

    /// <summary>target[i] of [low, high).</summary>
    public void FillUniform(AcceleratorStream stream, ArrayView<float> target, int count, ulong seed, ulong sequence, float low, float high)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        RandomRange range = new() { Count = count, Width = width, Offset = low, Scale = high - low, Largest = MathF.BitDecrement(high) };
        uniform(stream, width, target, seed, sequence, range);
    }

    /// <summary>target[i] of the normal distribution.</summary>
    public void FillNormal(AcceleratorStream stream, ArrayView<float> target, int count, ulong seed, ulong sequence, float mean, float deviation)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        normal(stream, width, target, seed, sequence, new() { Count = count, Width = width, Offset = mean, Scale = deviation });
    }

    [KernelEntry]
    internal static void Uniform(
        Index1D index,
        ArrayView<float> target, // [count]
        ulong seed,
        ulong sequence,
        RandomRange range)
    {
        for (int i = index; i < range.Count; i += range.Width)
        {
            float value = range.Offset + range.Scale * Philox.Uniform(seed, sequence, (ulong)i);
            target[i] = value < range.Largest ? value : range.Largest;
        }
    }

    [KernelEntry]
    internal static void Normal(
        Index1D index,
        ArrayView<float> target, // [count]
        ulong seed,
        ulong sequence,
        RandomRange range)
    {
        for (int i = index; i < range.Count; i += range.Width)
        {
            Philox.Block block = Philox.Generate(seed, sequence, (ulong)i >> 1);
            bool isEven = (i & 1) == 0;
            float u = Philox.ToUniform(isEven ? block.X : block.Z);
            float v = Philox.ToUniform(isEven ? block.Y : block.W);
            float radius = MathF.Sqrt(-2f * Elementary.Log(1f - u));
            target[i] = range.Offset + range.Scale * (radius * Elementary.CosOfTurn(v));
        }
    }
}

/// <summary>What a random fill scales its numbers to.</summary>
public struct RandomRange
{
    /// <summary>Numbers wanted.</summary>
    public int Count;

    /// <summary>Items launched.</summary>
    public int Width;

    /// <summary>Added to every number.</summary>
    public float Offset;

    /// <summary>Factor on every number.</summary>
    public float Scale;

    /// <summary>The largest uniform number: rounding must not reach the range's open end.</summary>
    public float Largest;
}
