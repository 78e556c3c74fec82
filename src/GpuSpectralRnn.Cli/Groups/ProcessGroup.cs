using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Mpi;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Groups;

/// <summary>The processes that one <c>mpirun</c> started for one call: how they find each other, and how they end.</summary>
internal static class ProcessGroup
{
    /// <summary>What the first one needs to end all where all fail alike, beside its own lag.</summary>
    private static readonly TimeSpan FirstEnds = TimeSpan.FromSeconds(0.5);

    /// <summary>The most that the first one is taken to lag behind.</summary>
    private static readonly TimeSpan MostLag = TimeSpan.FromSeconds(20);

    private static readonly Launcher? launcher = Launcher.Current;

    /// <summary>Whether this process is one of several.</summary>
    public static bool IsMember => launcher is { Size: > 1 };

    /// <summary>Whether a launcher started this process, alone or with others: its terminal is none.</summary>
    public static bool IsLaunched => launcher is not null;

    /// <summary>Whether this process prints and writes: alone, or the first of several.</summary>
    public static bool IsFirst => launcher is null or { Rank: 0 };

    /// <summary>Standard error of this process; before the first use of the console, since launchers give members terminals that are none.</summary>
    public static TextWriter OpenError()
    {
        if (IsLaunched) Environment.SetEnvironmentVariable("TERM", "dumb");
        return IsFirst ? Console.Error : new MemberWriter(launcher!.Rank, Console.Error);
    }

    /// <summary>Joins the group where a launcher started several processes, or the call names a library.</summary>
    /// <exception cref="InvalidCallException">The verb works in one process, or there is no library.</exception>
    public static IReplicas Join(Verb verb, string name)
    {
        string? library = (verb as IGroupOptions)?.Mpi;
        if (library is null && launcher is null or { Size: 1 }) return LocalReplicas.Instance;
        if (verb is not IGroupOptions)
            return IsMember
                ? throw new InvalidCallException($"{name} works in one process, and mpirun started {launcher!.Size}; start it without mpirun.")
                : LocalReplicas.Instance;
        return MpiReplicas.Start(library);
    }

    /// <summary>Checks that all members of the verb's group are alike.</summary>
    /// <exception cref="InvalidCallException">One is not; the message says which, and in what.</exception>
    public static void CheckAlike(Verb verb)
    {
        verb.Group.CheckEqual("version", HelpPages.Version);
        verb.Group.CheckEqual("call", verb.Call);
        verb.Group.CheckEqual("vector instructions", Vector512.IsHardwareAccelerated ? "512 bits" : Vector256.IsHardwareAccelerated ? "256 bits" : "128 bits");
    }

    /// <summary>Ends all members because this one cannot go on. Does not return where there are others.</summary>
    /// <param name="replicas">The group.</param>
    /// <param name="code">The exit code.</param>
    /// <param name="reason">Why; empty: it has been printed.</param>
    public static void Fail(IReplicas replicas, int code, string reason)
    {
        if (replicas.Size == 1) return;
        if (replicas.Rank > 0) LetFirstSpeak(FirstEnds);
        replicas.Abort(code, reason);
    }

    /// <summary>
    /// Waits, so that the first one speaks where all fail alike. A machine that was slow for this process is slow for that one too, so the wait grows
    /// with the time this one has needed so far.
    /// </summary>
    /// <param name="atLeast">What the first one needs from its fault to the end of all others.</param>
    public static void LetFirstSpeak(TimeSpan atLeast)
    {
        using Process process = Process.GetCurrentProcess();
        TimeSpan age = DateTime.Now - process.StartTime;
        Thread.Sleep(atLeast + (age < MostLag ? age : MostLag));
    }

    /// <summary>Threads for this member where the call names none: the processors it may use, divided by the members that may use them too; 0: all.</summary>
    public static int Threads(IReplicas replicas)
    {
        if (replicas.Size == 1) return 0;
        using Process process = Process.GetCurrentProcess();
        long machine = BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)));
        long allowed = OperatingSystem.IsLinux() || OperatingSystem.IsWindows() ? process.ProcessorAffinity : -1; // a bit for each
        long[][] members = [.. replicas.Gather<long>([machine, allowed]).Chunk(2)];
        int sharing = members.Count(member => member[0] == machine && (member[1] & allowed) != 0);
        return Math.Max(1, Environment.ProcessorCount / Math.Max(1, sharing));
    }
}
