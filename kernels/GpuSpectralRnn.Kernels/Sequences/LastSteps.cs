using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>The last valid step of each sequence, and its backward.</summary>
public sealed class LastSteps(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents> forward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents>>(Gather);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents> backward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ArrayView<int>, StepExtents>>(Scatter);

    /// <summary>last[b, j] = x[L_b - 1, b, j], or 0 where L_b is 0; x [T, B, H], last [B, stride].</summary>
    public void Forward(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> last, ArrayView<int> lengths, StepExtents e)
    {
        if (e.Count == 0) return;
        e.Width = loader.WidthFor(e.Count);
        forward(stream, e.Width, x, last, lengths, e);
    }

    /// <summary>gradient[t, b, j] = lastGradient[b, j] where t is L_b - 1, else 0.</summary>
    public void Backward(AcceleratorStream stream, ArrayView<float> lastGradient, ArrayView<float> gradient, ArrayView<int> lengths, StepExtents e)
    {
        if (e.Count == 0) return;
        e.Width = loader.WidthFor((long)e.Steps * e.Count);
        backward(stream, e.Width, lastGradient, gradient, lengths, e);
    }

    [KernelEntry]
    internal static void Gather(
        Index1D index,
        ArrayView<float> x, // [T, B, H]
        ArrayView<float> last, // [B, stride]
        ArrayView<int> lengths, // [B]
        StepExtents e)
    {
        for (int i = index; i < e.Count; i += e.Width)
        {
            int row = i / e.Hidden;
            int length = lengths[row];
            float value = 0f;
            if (length > 0) value = x[(length - 1) * e.Count + i];
            last[row * e.Stride + i - row * e.Hidden] = value;
        }
    }

    [KernelEntry]
    internal static void Scatter(
        Index1D index,
        ArrayView<float> lastGradient, // [B, stride]
        ArrayView<float> gradient, // [T, B, H]
        ArrayView<int> lengths, // [B]
        StepExtents e)
    {
        for (int i = index; i < e.Steps * e.Count; i += e.Width)
        {
            int column = i % e.Count;
            int row = column / e.Hidden;
            float value = 0f;
            if (i / e.Count == lengths[row] - 1) value = lastGradient[row * e.Stride + column - row * e.Hidden];
            gradient[i] = value;
        }
    }
}
