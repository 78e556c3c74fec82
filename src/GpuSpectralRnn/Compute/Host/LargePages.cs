using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Pages of 2 MiB for large tensors, where the system grants them on request (Linux: transparent huge pages): a pass over a sequence then misses the
/// address cache rarely, and hardware prefetching is not stopped every 4 KiB.
/// </summary>
internal static unsafe partial class LargePages
{
    /// <summary>Bytes of a large page, to which memory that asks for them must be aligned.</summary>
    public const nuint Size = 2 << 20;

    private const int MadviseHugePage = 14;

    /// <summary>Asks for large pages; a system that knows none is none the worse.</summary>
    public static void Advise(void* address, nuint bytes)
    {
        if (OperatingSystem.IsLinux()) _ = Madvise(address, bytes / Size * Size, MadviseHugePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint length, int advice);
}
