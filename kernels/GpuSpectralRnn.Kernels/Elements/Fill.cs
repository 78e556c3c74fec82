using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Fills: a constant, or one row for all rows.</summary>
public sealed class Fill(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, int, int, float> constant =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, int, int, float>>(Constant);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int> rows =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int>>(Rows);

    /// <summary>target[i] = value for i below <paramref name="count"/>.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> target, int count, float value)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        constant(stream, width, target, count, width, value);
    }

    /// <summary>target[i, j] = row[j]; a bias before a product is added to it.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> target, ArrayView<float> row, int count, int columns)
    {
        if (count == 0) return;
        int width = loader.WidthFor(count);
        rows(stream, width, target, row, count, columns, width);
    }

    [KernelEntry]
    internal static void Constant(Index1D index, ArrayView<float> target, int count, int width, float value)
    {
        for (int i = index; i < count; i += width) target[i] = value;
    }

    [KernelEntry]
    internal static void Rows(
        Index1D index,
        ArrayView<float> target, // [count / columns, columns]
        ArrayView<float> row, // [columns]
        int count,
        int columns,
        int width)
    {
        for (int i = index; i < count; i += width) target[i] = row[i % columns];
    }
}
