namespace GpuSpectralRnn.Mpi.Tests.Members;

/// <summary>What is refused, and what MPI must not have changed in the process.</summary>
internal static class Rules
{
    /// <summary>Checks all of it; afterwards the group works as before.</summary>
    public static void Check(MpiReplicas replicas)
    {
        Refuses<InvalidOperationException>(() => MpiReplicas.Start(), "starts once");
        Refuses<ArgumentOutOfRangeException>(() => replicas.Exchange(replicas.Size, [], []), "partner");
        Refuses<ArgumentOutOfRangeException>(() => replicas.Exchange(-1, [], []), "partner");
        Refuses<ArgumentException>(() => replicas.Gather(new byte[3], new byte[4]), "do not fill");
        Refuses<ArgumentOutOfRangeException>(() => replicas.Abort(0, "nothing"), "code");
        Refuses<InvalidOperationException>(() => InAThread(() => replicas.Gather([0], new byte[replicas.Size])), "another");

        // The runtime makes this exception of a signal that libraries below MPI take for themselves.
        string? nothing = Environment.GetCommandLineArgs().Length > 1000 ? "" : null;
        Refuses<NullReferenceException>(() => _ = nothing!.Length, "");
    }

    /// <summary>Checks that nothing is called after the end.</summary>
    public static void CheckDisposed(MpiReplicas replicas)
    {
        Refuses<ObjectDisposedException>(() => replicas.Gather([0], new byte[replicas.Size]), nameof(MpiReplicas));
        Refuses<InvalidOperationException>(() => MpiReplicas.Start(), "starts once");
    }

    private static void InAThread(Action call)
    {
        Exception? thrown = null;
        Thread thread = new(() =>
        {
            try
            {
                call();
            }
            catch (InvalidOperationException e)
            {
                thrown = e;
            }
        });
        thread.Start();
        thread.Join();
        if (thrown is not null) throw thrown;
    }

    private static void Refuses<T>(Action call, string word)
        where T : Exception
    {
        try
        {
            call();
        }
        catch (T e)
        {
            if (!e.Message.Contains(word, StringComparison.Ordinal)) throw new InvalidCastException($"'{e.Message}' does not say '{word}'", e);
            return;
        }

        throw new InvalidCastException($"{typeof(T).Name} was expected");
    }
}
