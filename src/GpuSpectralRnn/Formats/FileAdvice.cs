using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GpuSpectralRnn.Formats;

/// <summary>Tells the system which bytes of a file will be read soon, so that it fetches them meanwhile.</summary>
internal static partial class FileAdvice
{
    private const int WillNeed = 3;

    /// <summary>Begins to fetch a range; returns at once. Elsewhere than on 64-bit Linux nothing happens: reading then waits for the disk.</summary>
    public static void Expect(SafeFileHandle file, long offset, long length)
    {
        // Advice only: that it was refused changes no result.
        if (OperatingSystem.IsLinux() && Environment.Is64BitProcess) _ = Advise(file, offset, length, WillNeed);
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
