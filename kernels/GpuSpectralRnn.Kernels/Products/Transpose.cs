using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Writes a small matrix transposed, so that a product walks it along its rows.</summary>
public sealed class Transpose(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int> run =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, int, int, int>>(Kernel);

    /// <summary>target [columns, rows] = source [rows, columns] transposed.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> source, ArrayView<float> target, int rows, int columns)
    {
        int width = loader.WidthFor((long)rows * columns);
        run(stream, width, source, target, rows, columns, width);
    }

    [KernelEntry]
    internal static void Kernel(
        Index1D index,
        ArrayView<float> source, // [rows, columns]
        ArrayView<float> target, // [columns, rows]
        int rows,
        int columns,
        int width)
    {
        for (int i = index; i < rows * columns; i += width) target[i] = source[i % rows * columns + i / rows];
    }
}
