using System.Runtime.InteropServices;

namespace ILGPU.Runtime;

/// <summary>Memory of an accelerator.</summary>
public unsafe class MemoryBuffer : IDisposable
{
    internal MemoryBuffer(long length, int elementSize, byte? fill = null)
    {
        Length = length;
        ElementSize = elementSize;
        NativePtr = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(1, LengthInBytes), 64);
        if (fill is { } value) NativeMemory.Fill((void*)NativePtr, (nuint)LengthInBytes, value);
    }

    /// <summary>Gives forgotten memory back.</summary>
    ~MemoryBuffer() => Dispose(false);

    /// <summary>Its address.</summary>
    public nint NativePtr { get; protected set; }

    /// <summary>Whether the memory was given back.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Bytes of one element.</summary>
    public int ElementSize { get; }

    /// <summary>Size in bytes.</summary>
    public long LengthInBytes => Length * ElementSize;

    /// <summary>A view of some elements, of a type of their size.</summary>
    public ArrayView<T> AsArrayView<T>(long offset, long length)
        where T : unmanaged => sizeof(T) == ElementSize
            ? new(this, offset, length)
            : throw new NotSupportedException($"{typeof(T).Name} is not of the {ElementSize} bytes of this buffer's elements.");

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (IsDisposed) return;
        IsDisposed = true;
        NativeMemory.AlignedFree((void*)NativePtr);
        NativePtr = 0;
    }
}
