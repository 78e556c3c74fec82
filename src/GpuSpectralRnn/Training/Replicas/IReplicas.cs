namespace GpuSpectralRnn.Training;

/// <summary>
/// The members of a group that work on one run together: processes on one machine or many, each with all the weights and its part of every batch. All
/// members make the same calls in the same order, each from one thread; a call returns when what it gives is there. Sums over members are
/// <see cref="ReplicaSums"/>, made of these.
/// </summary>
/// <exception cref="RunFailedException">A member is gone or the network failed.</exception>
public interface IReplicas : IDisposable
{
    /// <summary>The number of this member, from 0.</summary>
    int Rank { get; }

    /// <summary>N, the number of members.</summary>
    int Size { get; }

    /// <summary>The number of this member among those on its machine, from 0.</summary>
    int LocalRank { get; }

    /// <summary>Members on this machine.</summary>
    int LocalSize { get; }

    /// <summary>Sends bytes to another member and receives bytes from it, which makes the same call with this one; both may be none.</summary>
    /// <param name="partner">Rank of the other.</param>
    /// <param name="outgoing">What the other receives.</param>
    /// <param name="incoming">Receives what the other sends; of the length that the other sends, shares no memory with <paramref name="outgoing"/>.</param>
    void Exchange(int partner, ReadOnlySpan<byte> outgoing, Span<byte> incoming);

    /// <summary>Collects the bytes of all members at all members, in the order of ranks.</summary>
    /// <param name="own">Of this member, as many as of every other.</param>
    /// <param name="all">Receives N times as many.</param>
    void Gather(ReadOnlySpan<byte> own, Span<byte> all);

    /// <summary>Replaces the bytes by those of member 0.</summary>
    void Broadcast(Span<byte> values);

    /// <summary>Ends all members at once, from wherever they are, because this one cannot go on. Does not return where members are processes.</summary>
    /// <param name="code">Exit code of the program, not 0.</param>
    /// <param name="reason">Why, in one line; empty: it has been said.</param>
    void Abort(int code, string reason);
}
