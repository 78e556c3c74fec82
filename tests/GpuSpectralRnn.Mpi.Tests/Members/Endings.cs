namespace GpuSpectralRnn.Mpi.Tests.Members;

/// <summary>Ends of a run that are not in order. Rank 1 is the one that causes them, while the others wait for it.</summary>
internal static class Endings
{
    /// <summary>Exit code of those that choose one.</summary>
    public const int Code = 7;

    /// <summary>Nobody comes: a test kills a member.</summary>
    public static void Wait(MpiReplicas replicas)
    {
        MemberProgram.Print($"rank {replicas.Rank} is process {Environment.ProcessId}");
        WaitForever(replicas);
    }

    /// <summary>It gives up.</summary>
    public static void Abort(MpiReplicas replicas)
    {
        if (replicas.Rank == 1) replicas.Abort(Code, "the disk\nis full");
        WaitForever(replicas);
    }

    /// <summary>Another of its threads gives up while the one that calls MPI waits.</summary>
    public static void AbortBeside(MpiReplicas replicas)
    {
        Thread other = new(() =>
        {
            Thread.Sleep(200);
            replicas.Abort(Code, "a second signal");
        });
        if (replicas.Rank == 1) other.Start();
        WaitForever(replicas);
    }

    /// <summary>It leaves as if all were well.</summary>
    public static void Leave(MpiReplicas replicas)
    {
        if (replicas.Rank == 1) Environment.Exit(0);
        WaitForever(replicas);
    }

    /// <summary>It is sent more than it expects.</summary>
    public static void SendTooMuch(MpiReplicas replicas)
    {
        if (replicas.Rank == 1) replicas.Exchange(0, [], new byte[3]);
        if (replicas.Rank == 0) replicas.Exchange(1, new byte[8], []);
        WaitForever(replicas);
    }

    /// <summary>It is sent less than it expects.</summary>
    public static void SendTooLittle(MpiReplicas replicas)
    {
        if (replicas.Rank == 1) replicas.Exchange(0, [], new byte[8]);
        if (replicas.Rank == 0) replicas.Exchange(1, new byte[3], []);
        WaitForever(replicas);
    }

    // For rank 1, which never comes.
    private static void WaitForever(MpiReplicas replicas)
    {
        if (replicas.Rank == 1) Thread.Sleep(Timeout.Infinite);
        replicas.Gather([0], new byte[replicas.Size]);
    }
}
