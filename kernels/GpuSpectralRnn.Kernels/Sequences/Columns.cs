using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Copies or adds columns between matrices.</summary>
public sealed class Columns(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ColumnWindows> copy =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<float>, ArrayView<float>, ColumnWindows>>(Copy);

    /// <summary>target[i, to + j] = source[i, from + j], or plus what is there.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> source, ArrayView<float> target, ColumnWindows windows)
    {
        if (windows.Rows == 0 || windows.Columns == 0) return;
        windows.Width = loader.WidthFor((long)windows.Rows * windows.Columns);
        copy(stream, windows.Width, source, target, windows);
    }

    [KernelEntry]
    internal static void Copy(
        Index1D index,
        ArrayView<float> source, // [rows, sourceStride]
        ArrayView<float> target, // [rows, targetStride]
        ColumnWindows windows)
    {
        for (int i = index; i < windows.Rows * windows.Columns; i += windows.Width)
        {
            int row = i / windows.Columns;
            int column = i - row * windows.Columns;
            float value = source[row * windows.SourceStride + windows.From + column];
            int place = row * windows.TargetStride + windows.To + column;
            if (windows.Adds != 0) value += target[place];
            target[place] = value;
        }
    }
}

/// <summary>Which columns <see cref="Columns"/> copies.</summary>
public struct ColumnWindows
{
    /// <summary>Rows of both matrices.</summary>
    public int Rows;

    /// <summary>Columns to copy.</summary>
    public int Columns;

    /// <summary>The first of them in the source.</summary>
    public int From;

    /// <summary>The first of them in the target.</summary>
    public int To;

    /// <summary>Columns of the source.</summary>
    public int SourceStride;

    /// <summary>Columns of the target.</summary>
    public int TargetStride;

    /// <summary>1 to add, 0 to overwrite.</summary>
    public int Adds;

    /// <summary>Items launched.</summary>
    public int Width;
}
