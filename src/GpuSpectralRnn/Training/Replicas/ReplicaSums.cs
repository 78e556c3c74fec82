using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Training;

/// <summary>
/// Sums over the members of a group, the same bits at every member and in every run: a balanced tree over ranks, ((0 + 1) + (2 + 3)) + ..., by recursive
/// halving and doubling (Thakur, Rabenseifner, Gropp 2005), in which each member sends 2 (N - 1) / N times the values. Members beyond the largest power of
/// two hand theirs to the first ones before, and are told the sums after.
/// </summary>
public static class ReplicaSums
{
    /// <summary>Up to here messages cost more than what is in them, and whole vectors go to and fro; the additions are the same.</summary>
    private const int FewBytes = 16 << 10;

    /// <summary>
    /// Values that are summed at a time, at least and for each member: few enough to be in a cache when they are added, and enough to make up for the
    /// messages of a larger group.
    /// </summary>
    private const int PiecePerMember = 1 << 18, LargestPiece = 1 << 23;

    /// <summary>Adds the values of all members; every member ends with the sums.</summary>
    /// <param name="replicas">The group.</param>
    /// <param name="values">As many at every member.</param>
    /// <exception cref="RunFailedException">A member is gone or the network failed.</exception>
    public static void Sum<T>(this IReplicas replicas, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        if (replicas.Size == 1) return;
        int most = (int)Math.Min((long)replicas.Size * PiecePerMember, LargestPiece);
        T[] rented = ArrayPool<T>.Shared.Rent(Math.Min(values.Length, most));
        for (int start = 0; start < values.Length; start += most)
        {
            Span<T> piece = values.Slice(start, Math.Min(most, values.Length - start));
            SumPiece(replicas, piece, rented.AsSpan(0, piece.Length));
        }

        ArrayPool<T>.Shared.Return(rented);
    }

    /// <summary>The sum of one number of each member.</summary>
    public static T Sum<T>(this IReplicas replicas, T value)
        where T : unmanaged, INumber<T>
    {
        replicas.Sum(MemoryMarshal.CreateSpan(ref value, 1));
        return value;
    }

    /// <summary>Whether something holds at any member.</summary>
    public static bool Any(this IReplicas replicas, bool value) => replicas.Sum(value ? 1 : 0) > 0;

    /// <summary>Collects the values of all members at all members, in the order of ranks.</summary>
    /// <param name="replicas">The group.</param>
    /// <param name="own">As many at every member.</param>
    public static T[] Gather<T>(this IReplicas replicas, ReadOnlySpan<T> own)
        where T : unmanaged
    {
        T[] all = new T[(long)own.Length * replicas.Size];
        replicas.Gather(MemoryMarshal.AsBytes(own), MemoryMarshal.AsBytes(all.AsSpan()));
        return all;
    }

    /// <summary>Replaces the values by those of member 0.</summary>
    public static void Broadcast<T>(this IReplicas replicas, Span<T> values)
        where T : unmanaged => replicas.Broadcast(MemoryMarshal.AsBytes(values));

    private static void SumPiece<T>(IReplicas replicas, Span<T> values, Span<T> scratch)
        where T : unmanaged, INumber<T>
    {
        int power = 1 << BitOperations.Log2((uint)replicas.Size), rank = replicas.Rank;
        if (rank >= power)
        {
            replicas.Exchange<T>(rank - power, values, []);
            replicas.Exchange(rank - power, [], values);
            return;
        }

        bool speaksForTwo = rank + power < replicas.Size;
        if (speaksForTwo)
        {
            replicas.Exchange(rank + power, [], scratch);
            Add(values, scratch);
        }

        Reduce(replicas, values, scratch, distance: 1, power);
        if (speaksForTwo) replicas.Exchange<T>(rank + power, values, []);
    }

    // Members whose numbers differ in the bit of this distance halve what they hold between them, add, and give the rest of the tree's result back.
    private static void Reduce<T>(IReplicas replicas, Span<T> values, Span<T> scratch, int distance, int power)
        where T : unmanaged, INumber<T>
    {
        if (distance == power) return;
        int partner = replicas.Rank ^ distance;
        if (values.Length * Marshal.SizeOf<T>() <= FewBytes)
        {
            replicas.Exchange(partner, values, scratch[..values.Length]);
            Add(values, scratch);
            Reduce(replicas, values, scratch, distance * 2, power);
            return;
        }

        int half = values.Length / 2;
        bool isFirst = replicas.Rank < partner;
        Span<T> own = isFirst ? values[..half] : values[half..], other = isFirst ? values[half..] : values[..half];
        replicas.Exchange(partner, other, scratch[..own.Length]);
        Add(own, scratch);
        Reduce(replicas, own, scratch, distance * 2, power);
        replicas.Exchange(partner, own, other);
    }

    private static void Exchange<T>(this IReplicas replicas, int partner, ReadOnlySpan<T> outgoing, Span<T> incoming)
        where T : unmanaged => replicas.Exchange(partner, MemoryMarshal.AsBytes(outgoing), MemoryMarshal.AsBytes(incoming));

    private static void Add<T>(Span<T> sums, ReadOnlySpan<T> terms)
        where T : unmanaged, INumber<T>
    {
        int i = 0;
        Span<Vector<T>> wide = MemoryMarshal.Cast<T, Vector<T>>(sums);
        ReadOnlySpan<Vector<T>> wideTerms = MemoryMarshal.Cast<T, Vector<T>>(terms);
        for (; i < wide.Length; i++) wide[i] += wideTerms[i];
        for (i *= Vector<T>.Count; i < sums.Length; i++) sums[i] += terms[i];
    }
}
