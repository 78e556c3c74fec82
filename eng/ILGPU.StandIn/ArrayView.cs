using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace ILGPU;

/// <summary>A window on the memory of a buffer.</summary>
public interface IArrayView
{
    /// <summary>The memory.</summary>
    MemoryBuffer Buffer { get; }

    /// <summary>Number of elements.</summary>
    long Length { get; }

    /// <summary>Size in bytes.</summary>
    long LengthInBytes { get; }
}

/// <summary>A window without gaps.</summary>
public interface IContiguousArrayView : IArrayView
{
    /// <summary>Where it starts, in bytes.</summary>
    long IndexInBytes { get; }
}

/// <summary>A window without gaps on elements of one type.</summary>
public interface IContiguousArrayView<T> : IContiguousArrayView
    where T : unmanaged;

/// <summary>A window without gaps; every access is checked.</summary>
public readonly unsafe struct ArrayView<T> : IContiguousArrayView<T>
    where T : unmanaged
{
    private readonly T* start;
    private readonly MemoryBuffer buffer;

    /// <summary>Makes a view of <paramref name="length"/> elements from element <paramref name="index"/> on.</summary>
    public ArrayView(MemoryBuffer source, long index, long length)
    {
        if (index < 0 || length < 0 || (index + length) * sizeof(T) > source.LengthInBytes)
            throw new ArgumentOutOfRangeException(nameof(index), $"{index} + {length} elements leave the buffer of {source.LengthInBytes / sizeof(T)}.");
        buffer = source;
        start = (T*)source.NativePtr + index;
        Length = length;
    }

    private ArrayView(MemoryBuffer buffer, T* start, long length)
    {
        this.buffer = buffer;
        this.start = start;
        Length = length;
    }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>Size in bytes.</summary>
    public long LengthInBytes => Length * sizeof(T);

    MemoryBuffer IArrayView.Buffer => buffer;

    long IContiguousArrayView.IndexInBytes => (byte*)start - (byte*)buffer.NativePtr;

    internal T* Start => start;

    /// <summary>One element.</summary>
    public ref T this[Index1D index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref this[(long)index.X];
    }

    /// <summary>One element.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref this[(long)index];
    }

    /// <summary>One element.</summary>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)Length) ThrowOutside(index, Length);
            return ref start[index];
        }
    }

    /// <summary>Some elements from one on.</summary>
    public ArrayView<T> SubView(int index, int subViewLength) => SubView((long)index, subViewLength);

    /// <summary>Some elements from one on.</summary>
    public ArrayView<T> SubView(long index, long subViewLength)
    {
        if (index < 0 || subViewLength < 0 || index + subViewLength > Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"{index} + {subViewLength} elements leave the view of {Length}.");
        return new ArrayView<T>(buffer, start + index, subViewLength);
    }

    /// <summary>The same memory as elements of another type, as many as fit.</summary>
    public ArrayView<TOther> Cast<TOther>()
        where TOther : unmanaged
    {
        // ILGPU counts from the buffer's start and rounds down: a view that starts within an element would move.
        long offset = (byte*)start - (byte*)buffer.NativePtr;
        if (offset % sizeof(TOther) != 0) throw new InvalidOperationException($"A view at byte {offset} cannot be seen as elements of {sizeof(TOther)} bytes.");
        return new ArrayView<TOther>(buffer, (TOther*)start, LengthInBytes / sizeof(TOther));
    }

    private static void ThrowOutside(long index, long length) => throw new IndexOutOfRangeException($"Element {index} of a view of {length}.");
}
