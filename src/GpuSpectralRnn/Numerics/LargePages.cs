using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// Native memory in pages of 2 MiB where it is large and the system supports them (Linux: transparent huge pages): fewer TLB misses, and hardware
/// prefetching that does not stop at every 4 KiB.
/// </summary>
internal static unsafe partial class LargePages
{
    private const nuint Size = 2 << 20;
    private const nuint LeastBytes = Size / 4 * 3; // what a page may leave empty is a third of this
    private const nuint Line = 64; // bytes of a cache line, and of the longest vector
    private const int MadviseHugePage = 14;

    /// <summary>
    /// Takes <paramref name="bytes"/> bytes, not cleared, aligned to a cache line or a large page; <see cref="NativeMemory.AlignedFree"/> frees them.
    /// </summary>
    public static void* Allocate(nuint bytes)
    {
        bool isLarge = bytes >= LeastBytes;
        if (isLarge) bytes = (bytes + Size - 1) / Size * Size;
        void* address = NativeMemory.AlignedAlloc(Math.Max(bytes, Line), isLarge ? Size : Line);
        if (isLarge && OperatingSystem.IsLinux()) _ = Madvise(address, bytes, MadviseHugePage);
        return address;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint length, int advice);
}
