using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Copies columns between matrices, target[i, to + j] = source[i, from + j], or adds them to what is there; one element each.</summary>
public readonly struct ColumnCopy(
    ArrayView<float> source, // [rows, sourceStride]
    ArrayView<float> target, // [rows, targetStride]
    int columns,
    int from,
    int to,
    int sourceStride,
    int targetStride,
    bool adds)
    : IElementKernel
{
    private readonly int sum = adds ? 1 : 0;

    /// <inheritdoc/>
    public void Run(int element)
    {
        int row = element / columns;
        int column = element - row * columns;
        float value = source[row * sourceStride + from + column];
        int place = row * targetStride + to + column;
        if (sum != 0) value += target[place];
        target[place] = value;
    }
}
