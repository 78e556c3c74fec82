using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Mpi;

/// <summary>
/// A group whose members are processes on one machine or many, started together by <c>mpirun</c>. Waiting for a late member takes hardly any time of
/// the processor. The thread that starts it makes all calls. A member that cannot go on calls <see cref="Abort"/>, as the others would wait for it for ever;
/// <see cref="Dispose"/> is the ordered end, which all members reach.
/// </summary>
public sealed unsafe class MpiReplicas : IReplicas
{
    /// <summary>
    /// From here on a call first waits until the others have come, with little processor time however late they are; then bytes are moved with all that
    /// it takes: MPICH moves 64 MB in 17 ms where it is asked all the time and in 160 ms where it is asked once in 1 ms.
    /// </summary>
    internal const int ManyBytes = 64 << 10;

    private static readonly TimeSpan LineUnderWay = TimeSpan.FromMilliseconds(200);

    private readonly MpiLibrary library;
    private readonly Thread owner = Thread.CurrentThread;
    private Thread? aborting;
    private bool isDisposed;

    private MpiReplicas(MpiLibrary library)
    {
        this.library = library;
        (Rank, Size) = (library.Rank, library.Size);
        AppDomain.CurrentDomain.ProcessExit += LeaveUnordered;
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size { get; }

    /// <inheritdoc/>
    public int LocalRank { get; private set; }

    /// <inheritdoc/>
    public int LocalSize { get; private set; }

    /// <summary>What the library says of itself.</summary>
    public string Library => library.Version;

    /// <summary>Joins the group. Once in a process: MPI cannot be started again, even after it has ended.</summary>
    /// <param name="library">Name or path of the MPI library; null: what the variable GSRNN_MPI names, else that of the launcher's flavour.</param>
    /// <exception cref="InvalidCallException">There is no such library, or it is not of the launcher's flavour.</exception>
    /// <exception cref="RunFailedException">MPI could not start.</exception>
    /// <exception cref="InvalidOperationException">It has been started in this process before.</exception>
    public static MpiReplicas Start(string? library = null)
    {
        Launcher? launcher = Launcher.Current;
        MpiLibrary mpi = LibraryChoice.Of(library, Environment.GetEnvironmentVariable(LibraryChoice.Variable), launcher).Load();
        if (mpi.IsStarted) throw new InvalidOperationException("MPI starts once in a process, and it has.");
        mpi.Start();
        MpiReplicas replicas = new(mpi);
        if (launcher is { Size: > 1 and var started } && replicas.Size == 1)
        {
            replicas.Dispose();
            string libraries = string.Join(", ", launcher.Flavour.Libraries());
            throw new InvalidCallException(
                $"MPI: {launcher.Flavour.Name()}'s mpirun started {started} processes, but with {mpi.Name} ({mpi.Version}) each is alone: "
                + $"start them by {mpi.Flavour.Name()}'s mpirun, or name a library of {launcher.Flavour.Name()} ({libraries}).");
        }

        LocalPlace place = LocalPlace.Of(launcher, replicas);
        (replicas.LocalRank, replicas.LocalSize) = (place.Rank, place.Size);
        return replicas;
    }

    /// <inheritdoc/>
    public void Exchange(int partner, ReadOnlySpan<byte> outgoing, Span<byte> incoming)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partner);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partner, Size);
        Enter();
        if (Math.Max(outgoing.Length, incoming.Length) > ManyBytes) Send(partner, [], []);
        Send(partner, outgoing, incoming);
    }

    /// <inheritdoc/>
    public void Gather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        if (all.Length != (long)own.Length * Size)
            throw new ArgumentException($"{Size} times {own.Length} bytes do not fill {all.Length}.", nameof(all));
        Enter();
        if (own.Length > ManyBytes) Meet();
        byte* status = stackalloc byte[MpiLibrary.StatusBytes];
        fixed (byte* from = own, to = all) Wait(library.Gather(from, own.Length, to), status, all.Length);
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> values)
    {
        Enter();
        if (values.Length > ManyBytes) Meet();
        byte* status = stackalloc byte[MpiLibrary.StatusBytes];
        fixed (byte* address = values) Wait(library.Broadcast(address, values.Length), status, values.Length);
    }

    /// <summary>Prints the reason as one line on standard error and ends all processes of the group, this one too. Any thread may call it.</summary>
    /// <inheritdoc/>
    public void Abort(int code, string reason)
    {
        ArgumentOutOfRangeException.ThrowIfZero(code);
        if (Interlocked.CompareExchange(ref aborting, Thread.CurrentThread, null) is not null) AwaitTheEnd();
        if (reason.Length > 0) Console.Error.WriteLine($"gsrnn: rank {Rank}: {reason.ReplaceLineEndings(" ").Trim()}");
        Console.Error.Flush();
        Thread.Sleep(LineUnderWay); // MPICH's launcher forgets what it has not passed on when the end comes
        library.Abort(code);
        Environment.Exit(code); // where the library came back
    }

    /// <summary>
    /// Ends MPI, after all members have come here. After a call has failed nothing is in order any more, and the group is aborted with what it said.
    /// </summary>
    public void Dispose()
    {
        if (isDisposed) return;
        if (library.Failure is { } failure) Abort(1, failure);
        try
        {
            Meet(); // MPI waits for the others' end without patience
        }
        catch (RunFailedException e)
        {
            Abort(1, e.Message);
        }

        isDisposed = true;
        AppDomain.CurrentDomain.ProcessExit -= LeaveUnordered;
        library.End();
    }

    // Another thread ends the process; what this one would say of it does not matter any more.
    private static void AwaitTheEnd() => Thread.Sleep(Timeout.Infinite);

    // The others would be killed in silence (and MPICH's mpirun would report success), or wait for ever.
    private void LeaveUnordered(object? sender, EventArgs e)
    {
        if (aborting != Thread.CurrentThread) Abort(Environment.ExitCode is not 0 and var code ? code : 1, "the process ended before its group did");
    }

    private void Enter()
    {
        if (Volatile.Read(ref aborting) is not null) AwaitTheEnd();
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (Thread.CurrentThread != owner) throw new InvalidOperationException("MPI is called by the thread that started it, and this is another.");
    }

    // The length of a span fits MPI's counts.
    private void Send(int partner, ReadOnlySpan<byte> outgoing, Span<byte> incoming)
    {
        byte* status = stackalloc byte[MpiLibrary.StatusBytes];
        fixed (byte* from = outgoing, to = incoming)
        {
            nint receiving = library.Receive(to, incoming.Length, partner), sending = library.Send(from, outgoing.Length, partner);
            Wait(receiving, status, incoming.Length);
            int count = library.Count(status);
            if (count != incoming.Length) throw library.Failed($"Member {partner} sent {count} bytes where member {Rank} expects {incoming.Length}.");
            Wait(sending, status, outgoing.Length);
        }
    }

    // Waits until all members are here.
    private void Meet() => Gather([0], new byte[Size]);

    private void Wait(nint request, byte* status, long bytes)
    {
        Patience patience = new(bytes);
        while (!library.IsDone(ref request, status)) patience.Pause();
    }
}
