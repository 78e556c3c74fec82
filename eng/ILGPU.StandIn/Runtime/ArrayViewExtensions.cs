using System.Runtime.InteropServices;

namespace ILGPU.Runtime;

/// <summary>Copies and clears.</summary>
public static unsafe class ArrayViewExtensions
{
    /// <summary>Clears all elements.</summary>
    public static void MemSetToZero<TView>(this TView view, AcceleratorStream stream)
        where TView : IContiguousArrayView => NativeMemory.Clear((void*)Address(view), (nuint)view.LengthInBytes);

    /// <summary>Copies to another view of the same accelerator, which may be larger.</summary>
    public static void CopyTo<TView>(this TView source, AcceleratorStream stream, in TView target)
        where TView : IContiguousArrayView =>
        Buffer.MemoryCopy((void*)Address(source), (void*)Address(target), target.LengthInBytes, source.LengthInBytes);

    /// <summary>Copies to host memory.</summary>
    public static void CopyToCPU<T, TView>(this TView source, AcceleratorStream stream, in Span<T> span)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => new Span<T>((void*)Address(source), checked((int)source.Length))[..span.Length].CopyTo(span);

    /// <summary>Copies from host memory.</summary>
    public static void CopyFromCPU<T, TView>(this TView target, AcceleratorStream stream, in ReadOnlySpan<T> span)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => span.CopyTo(new Span<T>((void*)Address(target), checked((int)target.Length)));

    /// <summary>Copies from host memory that stays where it is until the stream has been waited for; here at once.</summary>
    public static void CopyFromCPUUnsafeAsync<T, TView>(this TView target, AcceleratorStream stream, ref T cpuData, long length)
        where TView : IContiguousArrayView<T>
        where T : unmanaged =>
        new ReadOnlySpan<T>(System.Runtime.CompilerServices.Unsafe.AsPointer(ref cpuData), checked((int)length))
            .CopyTo(new Span<T>((void*)Address(target), checked((int)target.Length)));

    /// <summary>Where its first element lies.</summary>
    public static nint LoadEffectiveAddressAsPtr<T>(this ArrayView<T> view)
        where T : unmanaged => Address(view);

    private static nint Address<TView>(TView view)
        where TView : IContiguousArrayView => view.LengthInBytes == 0 ? 0 : view.Buffer.NativePtr + (nint)view.IndexInBytes;
}
