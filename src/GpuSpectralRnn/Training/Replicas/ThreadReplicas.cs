using System.Collections.Concurrent;

namespace GpuSpectralRnn.Training;

/// <summary>A group whose members are threads of one process, each with a network and a device of its own: several GPUs of one machine, and tests.</summary>
public sealed class ThreadReplicas : IReplicas
{
    private readonly Group group;

    private ThreadReplicas(Group group, int rank) => (this.group, Rank) = (group, rank);

    /// <summary>Makes the members of a group.</summary>
    /// <param name="size">N, 1 or more.</param>
    public static IReadOnlyList<ThreadReplicas> Create(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Group group = new(size);
        return [.. Enumerable.Range(0, size).Select(rank => new ThreadReplicas(group, rank))];
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size => group.Size;

    /// <inheritdoc/>
    public int LocalRank => Rank;

    /// <inheritdoc/>
    public int LocalSize => Size;

    /// <inheritdoc/>
    public void Exchange(int partner, ReadOnlySpan<byte> outgoing, Span<byte> incoming)
    {
        Send(partner, outgoing);
        Receive(partner, incoming);
    }

    /// <inheritdoc/>
    public void Gather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        for (int rank = 0; rank < Size; rank++) Send(rank, own);
        for (int rank = 0; rank < Size; rank++) Receive(rank, all.Slice(rank * own.Length, own.Length));
    }

    /// <inheritdoc/>
    public void Broadcast(Span<byte> values)
    {
        if (Rank == 0)
        {
            for (int rank = 1; rank < Size; rank++) Send(rank, values);
        }
        else
        {
            Receive(0, values);
        }
    }

    /// <summary>Makes every member's next call, or the one it waits in, fail with the reason.</summary>
    /// <inheritdoc/>
    public void Abort(int code, string reason)
    {
        group.Reason ??= $"member {Rank}: {reason}";
        group.Aborted.Cancel();
    }

    /// <summary>A member that leaves makes those who wait for it fail.</summary>
    public void Dispose()
    {
        for (int rank = 0; rank < Size; rank++) group.Box(Rank, rank).CompleteAdding();
    }

    private void Send(int to, ReadOnlySpan<byte> bytes)
    {
        ThrowIfAborted();
        group.Box(Rank, to).Add(bytes.ToArray(), CancellationToken.None);
    }

    private void Receive(int from, Span<byte> bytes)
    {
        try
        {
            if (!group.Box(from, Rank).TryTake(out byte[]? received, Timeout.Infinite, group.Aborted.Token))
                throw new RunFailedException($"Member {from} left before it had answered member {Rank}.");
            if (received.Length != bytes.Length)
                throw new RunFailedException($"Member {from} sent {received.Length} bytes where member {Rank} expects {bytes.Length}.");
            received.CopyTo(bytes);
        }
        catch (OperationCanceledException)
        {
            ThrowIfAborted();
        }
    }

    private void ThrowIfAborted()
    {
        if (group.Aborted.IsCancellationRequested) throw new RunFailedException($"The run was ended by {group.Reason}");
    }

    // What is on its way, by sender and receiver, in the order sent.
    private sealed class Group(int size)
    {
        private readonly BlockingCollection<byte[]>[] boxes = [.. Enumerable.Range(0, size * size).Select(_ => new BlockingCollection<byte[]>())];

        public int Size => size;

        public CancellationTokenSource Aborted { get; } = new();

        public string? Reason { get; set; }

        public BlockingCollection<byte[]> Box(int from, int to) => boxes[(from * size) + to];
    }
}
