using System.Diagnostics;
using System.Globalization;

namespace GpuSpectralRnn.Mpi.Tests.Members;

/// <summary>What it costs to wait for a member that is late.</summary>
internal static class Lateness
{
    /// <summary>The others' delay.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromSeconds(2);

    private static readonly byte[] Large = new byte[1 << 20];

    /// <summary>Rank 0 waits in an exchange, a large one, for the last member; prints its processor time in milliseconds.</summary>
    public static void Measure(MpiReplicas replicas)
    {
        int last = replicas.Size - 1;
        if (replicas.Rank == last) Thread.Sleep(Delay);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        Stopwatch clock = Stopwatch.StartNew();
        if (replicas.Rank == 0) replicas.Exchange(last, Large, new byte[Large.Length]);
        else if (replicas.Rank == last) replicas.Exchange(0, Large, new byte[Large.Length]);
        double burnt = (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
        string line = string.Create(CultureInfo.InvariantCulture, $"waited {clock.Elapsed.TotalMilliseconds:F0} ms and burnt {burnt:F0} ms");
        if (replicas.Rank == 0) MemberProgram.Print(line);
    }
}
