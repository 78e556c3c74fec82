using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Mpi.Tests.Members;

/// <summary>Exchanges, gathers and broadcasts of many lengths: every byte.</summary>
internal static class Messages
{
    private const int Many = MpiReplicas.ManyBytes;
    private const int Period = 1_000_003;
    private static readonly int[] Lengths = [0, 1, 443, 5000, Many, Many + 1, Period];
    private static readonly Dictionary<int, byte[]> Periods = [];

    /// <summary>All pairs exchange, with as many bytes in both directions and with more in one; all members gather and broadcast.</summary>
    public static void Compare(MpiReplicas replicas)
    {
        int partners = 0;
        for (int first = 0; first < replicas.Size; first++)
        {
            for (int second = first + 1; second < replicas.Size; second++)
            {
                if (replicas.Rank != first && replicas.Rank != second) continue;
                partners++;
                foreach (int length in Lengths)
                {
                    foreach (int other in Lengths) Exchange(replicas, first + second - replicas.Rank, new(first, length), new(second, other));
                }
            }
        }

        Require(partners == replicas.Size - 1, "a partner is missing");
        foreach (int length in Lengths)
        {
            byte[] all = new byte[length * replicas.Size];
            replicas.Gather(Bytes(replicas.Rank, length), all);
            byte[] expected = [.. Enumerable.Range(0, replicas.Size).SelectMany(rank => Bytes(rank, length))];
            Require(all.AsSpan().SequenceEqual(expected), $"gather of {length}");

            byte[] values = Bytes(replicas.Rank, length);
            replicas.Broadcast(values);
            Require(values.AsSpan().SequenceEqual(Bytes(0, length)), $"broadcast of {length}");
        }
    }

    /// <summary>More than 64 MB in both directions, of unequal length.</summary>
    public static void CompareLarge(MpiReplicas replicas) =>
        Exchange(replicas, 1 - replicas.Rank, new(0, 70_000_001), new(1, 68_000_003));

    private static void Exchange(MpiReplicas replicas, int partner, Message ofFirst, Message ofSecond)
    {
        (Message own, Message others) = replicas.Rank == ofFirst.Rank ? (ofFirst, ofSecond) : (ofSecond, ofFirst);
        byte[] incoming = new byte[others.Length];
        replicas.Exchange(partner, Bytes(own.Rank, own.Length), incoming);
        Require(incoming.AsSpan().SequenceEqual(Bytes(others.Rank, others.Length)), $"exchange of {own.Length} and {others.Length}");
    }

    // A period that is prime, so that no piece of a message looks like its neighbour.
    private static byte[] Bytes(int rank, int length)
    {
        if (!Periods.TryGetValue(rank, out byte[]? period))
        {
            Periods[rank] = period = new byte[Period];
            new Random(rank).NextBytes(period);
        }

        byte[] bytes = new byte[length];
        for (int start = 0; start < length; start += Period)
        {
            int count = Math.Min(Period, length - start);
            period.AsSpan(0, count).CopyTo(bytes.AsSpan(start));
        }

        return bytes;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }

    private readonly record struct Message(int Rank, int Length);
}
