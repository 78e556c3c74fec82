using System.Diagnostics;
using System.Globalization;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests.Groups;

/// <summary>Starts the program several times over, by the <c>mpirun</c> of either flavour.</summary>
internal static class Launch
{
    /// <summary>Both launchers.</summary>
    public static TheoryData<string> All => ["mpirun.openmpi", "mpirun.mpich"];

    /// <summary>Skips the test where a launcher is not installed.</summary>
    public static void Require(string launcher) =>
        Skip.IfNot(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, launcher))),
            $"{launcher} is not installed");

    /// <summary>Runs it to its end in a folder.</summary>
    public static Outcome Run(string launcher, int size, string folder, params string[] args)
    {
        using Process process = Start(launcher, folder, [(size, null, args)]);
        return Gsrnn.Finish(process);
    }

    /// <summary>Starts it; members may differ in their folder and call.</summary>
    /// <param name="launcher">The launcher.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="parts">How many members, in which folder if another, with which call.</param>
    public static Process Start(string launcher, string folder, params (int Size, string? Folder, string[] Args)[] parts)
    {
        Require(launcher);
        ProcessStartInfo info = new(launcher) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = info.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        if (launcher.EndsWith("openmpi", StringComparison.Ordinal)) info.ArgumentList.Add("--oversubscribe");
        foreach ((int size, string? own, string[] args) in parts)
        {
            if (info.ArgumentList.Contains("-np")) info.ArgumentList.Add(":");
            foreach (string word in (string[])["-np", $"{size}", .. own is null ? [] : (string[])["-wdir", own]]) info.ArgumentList.Add(word);
            foreach (string word in (string[])["dotnet", Path.Combine(AppContext.BaseDirectory, "gsrnn.dll"), .. args]) info.ArgumentList.Add(word);
        }

        return Process.Start(info)!;
    }

    /// <summary>The process of a member of a launched run, once it is there: that whose environment says so, and that works in the folder.</summary>
    public static Process Member(int rank, string folder)
    {
        for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(20); Thread.Sleep(5))
        {
            foreach (string path in Directory.GetDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
            {
                try
                {
                    if (!File.ReadAllText($"{path}/cmdline").Contains("gsrnn.dll") || File.ResolveLinkTarget($"{path}/cwd", false)?.FullName != folder) continue;
                    string[] environment = File.ReadAllText($"{path}/environ").Split('\0');
                    if (environment.Contains($"OMPI_COMM_WORLD_RANK={rank}") || environment.Contains($"PMI_RANK={rank}"))
                        return Process.GetProcessById(int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
                {
                    // It has ended meanwhile.
                }
            }
        }

        throw new TimeoutException($"There is no member {rank}.");
    }
}
