using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// The names under which files are written before they are renamed, and the removal of those that a process left which was killed:
/// <c>.gsrnn-MACHINE-PROCESS-RANDOM.tmp</c>, in the folder of the file.
/// </summary>
public static partial class TemporaryFile
{
    /// <summary>How old a file must be whose process cannot be asked for: it ran on another machine, in another container, or under an earlier version.</summary>
    private static readonly TimeSpan Old = TimeSpan.FromHours(1);

    private static readonly string Machine = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)))[..8];

    /// <summary>A name that is free in <paramref name="folder"/>; short, so that it fits wherever others do.</summary>
    public static string NameIn(string folder) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $".gsrnn-{Machine}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}.tmp"));

    /// <summary>Opens a new one to write. Until it is closed it is locked, which tells everybody that its process is there.</summary>
    public static FileStream Create(string path) => new(path, FileMode.CreateNew, FileAccess.Write, Sharing, 1 << 16);

    /// <summary>
    /// Removes what killed processes left in <paramref name="folder"/>. A file goes only if its name is one of ours, its process is not running, or where
    /// that cannot be known, nobody wrote to it for an hour, and nobody holds its lock. What cannot be removed stays, in silence.
    /// </summary>
    /// <returns>How many were removed.</returns>
    public static int RemoveAbandoned(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder, ".gsrnn-*.tmp", new EnumerationOptions { AttributesToSkip = 0 }).Count(TryRemove);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    // Elsewhere than on Windows a file can be renamed while it is locked.
    private static FileShare Sharing => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    private static bool TryRemove(string path)
    {
        Match name = Pattern().Match(Path.GetFileName(path));
        if (!name.Success) return false;
        try
        {
            bool isOurs = name.Groups["machine"].Value == Machine;
            if (isOurs && IsRunning(int.Parse(name.Groups["process"].Value, CultureInfo.InvariantCulture))) return false;
            if (!isOurs && DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < Old) return false;
            using FileStream locked = new(path, FileMode.Open, FileAccess.ReadWrite, Sharing, 1);
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OverflowException)
        {
            return false;
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using Process found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    // Earlier versions wrote neither machine nor process.
    [GeneratedRegex(@"^\.gsrnn-(?:(?<machine>[0-9a-f]{8})-(?<process>[0-9]{1,10})-[0-9a-f]{8}|[0-9a-f]{12}|[0-9a-f]{32})\.tmp$")]
    private static partial Regex Pattern();
}
