using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Squares added up element by element.</summary>
public sealed class Squares(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int> add =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int>>(Add);

    /// <summary>sums[i] += x[i]^2 for i below <paramref name="count"/>.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> sums, int count)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        add(stream, width, x, sums, count, width);
    }

    [KernelEntry]
    internal static void Add(Index1D index, ArrayView<float> x, ArrayView<float> sums, int count, int width)
    {
        for (int i = index; i < count; i += width) sums[i] += x[i] * x[i];
    }
}
