using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Takes weights away: p *= mask, element by element.</summary>
public sealed class Masking(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int> run =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int>>(Multiply);

    /// <summary>parameters[i] *= mask[i] for i below <paramref name="count"/>.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> parameters, ArrayView<float> mask, int count)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        run(stream, width, parameters, mask, count, width);
    }

    [KernelEntry]
    internal static void Multiply(Index1D index, ArrayView<float> parameters, ArrayView<float> mask, int count, int width)
    {
        for (int i = index; i < count; i += width) parameters[i] *= mask[i];
    }
}
