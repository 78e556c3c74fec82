using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>target = source^T, for products that read B along its rows.</summary>
internal readonly struct Transpose(
    ArrayView<float> source, // [rows, columns]
    ArrayView<float> target, // [columns, rows]
    int rows,
    int columns)
    : IElementKernel
{
    public void Run(int element) => target[element] = source[element % rows * columns + element / rows];
}
