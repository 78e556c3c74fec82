using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Dropout by <see cref="Philox"/>: the mask is a function of seed, stream and place and is never stored.</summary>
public sealed class Dropout(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ulong, ulong, DropoutRange> mask =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ulong, ulong, DropoutRange>>(Mask);

    /// <summary>y[i] = x[i] / (1 - rate), or 0 where uniform number i is below the rate.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> y, int count, ulong seed, ulong sequence, float rate)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        mask(stream, width, x, y, seed, sequence, new() { Count = count, Width = width, Rate = rate, Scale = 1 / (1 - rate) });
    }

    [KernelEntry]
    internal static void Mask(
        Index1D index,
        ArrayView<float> x, // [count]
        ArrayView<float> y, // [count]
        ulong seed,
        ulong sequence,
        DropoutRange range)
    {
        for (int i = index; i < range.Count; i += range.Width)
        {
            float kept = range.Scale * x[i];
            y[i] = Philox.Uniform(seed, sequence, (ulong)i) < range.Rate ? 0f : kept;
        }
    }
}

/// <summary>What dropout leaves.</summary>
public struct DropoutRange
{
    /// <summary>Numbers.</summary>
    public int Count;

    /// <summary>Items launched.</summary>
    public int Width;

    /// <summary>Share of zeros.</summary>
    public float Rate;

    /// <summary>Factor on what stays.</summary>
    public float Scale;
}
