using System.Globalization;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Mpi.Tests.Members;

/// <summary>
/// A member of a group that a test starts: <c>mpirun GpuSpectralRnn.Mpi.Tests JOB[,JOB...] [LIBRARY]</c>. Rank 0 prints <c>done JOB by N</c> once all
/// members are through.
/// </summary>
internal static class MemberProgram
{
    private static readonly Dictionary<string, Action<MpiReplicas>> Jobs = new()
    {
        ["sums"] = replicas =>
        {
            Sums.Compare<float>(replicas);
            Sums.Compare<double>(replicas);
            Sums.Compare<long>(replicas);
        },
        ["messages"] = Messages.Compare,
        ["large"] = Messages.CompareLarge,
        ["rules"] = Rules.Check,
        ["late"] = Lateness.Measure,
        ["place"] = replicas => Print($"place {replicas.Rank} of {replicas.Size}, {replicas.LocalRank} of {replicas.LocalSize} here"),
        ["wait"] = Endings.Wait,
        ["abort"] = Endings.Abort,
        ["abort-beside"] = Endings.AbortBeside,
        ["leave"] = Endings.Leave,
        ["short"] = Endings.SendTooMuch,
        ["long"] = Endings.SendTooLittle,
    };

    /// <summary>Prints a line by one write, so that lines of several processes do not mix.</summary>
    internal static void Print(string line)
    {
        Console.Out.Write(line + "\n");
        Console.Out.Flush();
    }

    private static int Main(string[] args)
    {
        try
        {
            using MpiReplicas replicas = MpiReplicas.Start(args.ElementAtOrDefault(1));
            foreach (string job in args[0].Split(',')) Run(replicas, job);
            replicas.Dispose();
            Rules.CheckDisposed(replicas);
            return 0;
        }
        catch (InvalidCallException e)
        {
            Console.Error.Write($"gsrnn: {e.Message}\n");
            return 2;
        }
    }

    private static void Run(MpiReplicas replicas, string job)
    {
        try
        {
            Jobs[job](replicas);
            replicas.Gather([0], new byte[replicas.Size]);
            if (replicas.Rank == 0) Print(string.Create(CultureInfo.InvariantCulture, $"done {job} by {replicas.Size}"));
        }
        catch (Exception e) when (e is not RunFailedException) // which the group's end reports
        {
            replicas.Abort(1, e.Message);
        }
    }
}
