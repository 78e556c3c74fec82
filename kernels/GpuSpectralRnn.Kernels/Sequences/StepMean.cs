using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>The mean of each sequence over its valid steps, and its backward.</summary>
public sealed class StepMean(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents> forward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents>>(Mean);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents> backward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents>>(Spread);

    /// <summary>mean[b, j] = (1/L_b) sum_{t below L_b} x[t, b, j]; x [T, B, H], mean [B, H], lengths [B] or null for T.</summary>
    public void Forward(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> mean, ArrayView<int>? lengths, StepExtents e)
    {
        if (e.Count == 0) return;
        e.Width = loader.WidthFor(e.Count);
        e.HasLengths = lengths is null ? 0 : 1;
        forward(stream, e.Width, x, mean, lengths ?? default, e);
    }

    /// <summary>gradient[t, b, j] = meanGradient[b, j] / L_b, zero beyond the length.</summary>
    public void Backward(AcceleratorStream stream, ArrayView<float> meanGradient, ArrayView<float> gradient, ArrayView<int>? lengths, StepExtents e)
    {
        if (e.Count == 0) return;
        e.Width = loader.WidthFor((long)e.Steps * e.Count);
        e.HasLengths = lengths is null ? 0 : 1;
        backward(stream, e.Width, meanGradient, gradient, lengths ?? default, e);
    }

    [KernelEntry]
    internal static void Mean(
        Index1D index,
        ArrayView<float> x, // [T, B, H]
        ArrayView<float> mean, // [B, H]
        ArrayView<int> lengths, // [B], or not read
        StepExtents e)
    {
        for (int i = index; i < e.Count; i += e.Width)
        {
            int steps = e.Steps;
            if (e.HasLengths != 0) steps = lengths[i / e.Hidden];
            float sum = 0f;
            for (int t = 0; t < steps; t++) sum += x[t * e.Count + i];
            mean[i] = steps > 0 ? sum / steps : 0f;
        }
    }

    [KernelEntry]
    internal static void Spread(
        Index1D index,
        ArrayView<float> meanGradient, // [B, H]
        ArrayView<float> gradient, // [T, B, H]
        ArrayView<int> lengths, // [B], or not read
        StepExtents e)
    {
        for (int i = index; i < e.Steps * e.Count; i += e.Width)
        {
            int column = i % e.Count;
            int steps = e.Steps;
            if (e.HasLengths != 0) steps = lengths[column / e.Hidden];
            gradient[i] = i / e.Count < steps ? meanGradient[column] / steps : 0f;
        }
    }
}

/// <summary>Extents of a sequence [T, B, H] and one step of it [B, H].</summary>
public struct StepExtents
{
    /// <summary>T.</summary>
    public int Steps;

    /// <summary>B H.</summary>
    public int Count;

    /// <summary>H.</summary>
    public int Hidden;

    /// <summary>Columns of the one step, H or more.</summary>
    public int Stride;

    /// <summary>Items launched.</summary>
    public int Width;

    /// <summary>1 where there are lengths.</summary>
    public int HasLengths;
}
