using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>The mean of a sequence over its steps, and its backward.</summary>
public sealed class StepMean(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int> forward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int>>(Mean);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int> backward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int>>(Spread);

    /// <summary>mean[i] = (1/T) sum_t x[t, i]; x [T, count], mean [count].</summary>
    public void Forward(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> mean, int steps, int count)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        forward(stream, width, x, mean, steps, count, width);
    }

    /// <summary>gradient[t, i] = meanGradient[i] / T.</summary>
    public void Backward(AcceleratorStream stream, ArrayView<float> meanGradient, ArrayView<float> gradient, int steps, int count)
    {
        if (count == 0) return;
        int width = loader.WidthFor((long)steps * count);
        backward(stream, width, meanGradient, gradient, steps, count, width);
    }

    [KernelEntry]
    internal static void Mean(
        Index1D index,
        ArrayView<float> x, // [T, count]
        ArrayView<float> mean, // [count]
        int steps,
        int count,
        int width)
    {
        for (int i = index; i < count; i += width)
        {
            float sum = 0f;
            for (int t = 0; t < steps; t++) sum += x[t * count + i];
            mean[i] = sum / steps;
        }
    }

    [KernelEntry]
    internal static void Spread(
        Index1D index,
        ArrayView<float> meanGradient, // [count]
        ArrayView<float> gradient, // [T, count]
        int steps,
        int count,
        int width)
    {
        for (int i = index; i < steps * count; i += width) gradient[i] = meanGradient[i % count] / steps;
    }
}
