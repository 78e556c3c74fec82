using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Pages of 2 MiB for large tensors, where the system supports them (Linux: transparent huge pages): fewer TLB misses, and hardware prefetching that
/// does not stop at every 4 KiB.
/// </summary>
internal static unsafe partial class LargePages
{
    /// <summary>Bytes of a large page, to which memory that asks for them must be aligned.</summary>
    public const nuint Size = 2 << 20;

    private const int MadviseHugePage = 14;

    /// <summary>Requests large pages; has no effect where the system does not support them.</summary>
    public static void Advise(void* address, nuint bytes)
    {
        if (OperatingSystem.IsLinux()) _ = Madvise(address, bytes / Size * Size, MadviseHugePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint length, int advice);
}
