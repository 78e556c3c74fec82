using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace GpuSpectralRnn.Formats;

/// <summary>Resolves paths: follows links, tells devices and pipes from files.</summary>
public static partial class FilePath
{
    private const int MostLinks = 40;
    private const int ThisFolder = -100;
    private const ushort KindMask = 0xF000;
    private const ushort RegularFile = 0x8000;
    private const ushort Folder = 0x4000;

    // struct statx is the same on every architecture: the bytes at which stx_mode, stx_ino and both halves of stx_dev stand.
    private const int StatusSize = 256;
    private const int ModeAt = 28;
    private const int NumberAt = 32;
    private const int DeviceAt = 136;
    private const uint WantsKind = 0x1;
    private const uint WantsNumber = 0x100;

    /// <summary>The full path with every symbolic link followed; parts that do not exist are kept. Equal for all spellings of one file.</summary>
    /// <exception cref="InvalidCallException">The links form a cycle, or the path is invalid.</exception>
    public static string Resolve(string path)
    {
        try
        {
            string resolved = Path.GetFullPath(path);
            for (int links = 0; links < MostLinks; links++)
            {
                if (FollowFirstLink(resolved) is not { } next) return resolved;
                resolved = next;
            }
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new InvalidCallException($"The path {ForeignText.Show(path)} cannot be followed: {e.Message.TrimEnd('.')}. Give another.", e);
        }

        throw new InvalidCallException($"The links of {path} go round in a circle; give another path.");
    }

    /// <summary>Equal for all names of one file: all spellings, symbolic links, and on Linux hard links.</summary>
    /// <exception cref="InvalidCallException">As <see cref="Resolve"/>.</exception>
    public static string Identity(string path)
    {
        string resolved = Resolve(path);
        Span<byte> status = stackalloc byte[StatusSize];
        if (!OperatingSystem.IsLinux() || !Read(resolved, WantsNumber, status)) return resolved;
        return $"device {MemoryMarshal.Read<ulong>(status[DeviceAt..]):x}, file {MemoryMarshal.Read<ulong>(status[NumberAt..])}";
    }

    /// <summary>Whether something is there that is neither a file nor a folder: a pipe, a socket, a device. Links are followed.</summary>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux() || !Kind(path, out ushort kind)) return false;
        return kind is not (RegularFile or Folder);
    }

    private static string? FollowFirstLink(string path)
    {
        string root = Path.GetPathRoot(path) ?? "";
        string[] parts = path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        string reached = root;
        for (int i = 0; i < parts.Length; i++)
        {
            reached = Path.Combine(reached, parts[i]);
            if (new FileInfo(reached).LinkTarget is not { } target) continue;
            string rest = Path.Combine([.. parts[(i + 1)..]]);
            return Path.GetFullPath(Path.Combine(Path.GetDirectoryName(reached) ?? root, target, rest));
        }

        return null;
    }

    [SupportedOSPlatform("linux")]
    private static bool Kind(string path, out ushort kind)
    {
        Span<byte> status = stackalloc byte[StatusSize];
        bool isThere = Read(path, WantsKind, status);
        kind = (ushort)(MemoryMarshal.Read<ushort>(status[ModeAt..]) & KindMask);
        return isThere;
    }

    [SupportedOSPlatform("linux")]
    private static bool Read(string path, uint wanted, Span<byte> status) => StatusOf(ThisFolder, path, 0, wanted, status) == 0;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatusOf(int folder, string path, int flags, uint mask, Span<byte> status);
}
