using System.Numerics;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Training;

/// <summary>
/// How every batch is shared out: it is cut into S shards, of which each member of a group works on S / N in turn, and the shards' gradients are added by a
/// balanced tree over their numbers. So the sums have the same bits for every N that divides S, N = 1 included (docs/many-machines.md).
/// </summary>
public sealed record ReplicaPlan
{
    /// <summary>Shares batches out.</summary>
    /// <param name="replicas">The group; owned by the caller.</param>
    /// <param name="shards">S, a power of two that N divides; N if left out.</param>
    /// <exception cref="InvalidCallException">The number of shards does not fit.</exception>
    public ReplicaPlan(IReplicas replicas, int? shards = null)
    {
        (Replicas, Shards, IsFixed) = (replicas, shards ?? replicas.Size, shards is not null);
        if (!IsFixed) return;
        if (Shards < 1 || !BitOperations.IsPow2(Shards)) throw new InvalidCallException($"`Shards` {Shards}: choose a power of two, 1, 2, 4, ...");
        if (Shards % replicas.Size != 0)
            throw new InvalidCallException($"`Shards` {Shards} cannot be shared by {replicas.Size}; start 1, 2, 4, ... up to {Shards} of them.");
    }

    /// <summary>One member, whole batches.</summary>
    public static ReplicaPlan Alone { get; } = new(LocalReplicas.Instance);

    /// <summary>The group.</summary>
    public IReplicas Replicas { get; }

    /// <summary>S.</summary>
    public int Shards { get; }

    /// <summary>Whether S was asked for: a run is then resumed with the same.</summary>
    public bool IsFixed { get; }

    /// <summary>Whether this is the member that writes files and speaks.</summary>
    public bool IsFirst => Replicas.Rank == 0;

    /// <summary>The shards of this member.</summary>
    public IReadOnlyList<BatchSlice> OwnSlices => SlicesOf(Replicas.Rank);

    /// <summary>The shards of a member.</summary>
    public IReadOnlyList<BatchSlice> SlicesOf(int rank)
    {
        int own = Shards / Replicas.Size;
        return [.. Enumerable.Range(rank * own, own).Select(index => new BatchSlice(index, Shards))];
    }
}
