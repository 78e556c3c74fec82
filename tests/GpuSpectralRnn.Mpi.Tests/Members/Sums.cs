using System.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Mpi.Tests.Members;

/// <summary>Sums over members against the tree of additions that they promise, bit by bit.</summary>
internal static class Sums
{
    private static readonly int[] Lengths = [1, 2, 3, 443, 2047, 4096, 4097, 100_003];

    /// <summary>Compares arrays of all lengths, and single numbers.</summary>
    public static void Compare<T>(MpiReplicas replicas)
        where T : unmanaged, INumber<T>
    {
        foreach (int length in Lengths)
        {
            T[] sums = Values<T>(replicas.Rank, length);
            replicas.Sum<T>(sums);

            T[][] all = [.. Enumerable.Range(0, replicas.Size).Select(rank => Values<T>(rank, length))];
            for (int i = 0; i < length; i++)
            {
                T expected = Tree([.. all.Select(values => values[i])]);
                if (!sums[i].Equals(expected))
                    throw new InvalidOperationException($"{typeof(T).Name} {i} of {length} is {sums[i]} instead of {expected}");
            }
        }

        T one = replicas.Sum(T.CreateChecked(replicas.Rank + 1)), triangle = T.CreateChecked(replicas.Size * (replicas.Size + 1) / 2);
        if (one != triangle) throw new InvalidOperationException($"the sum of ranks is {one} instead of {triangle}");
    }

    // Of many magnitudes, so that another order gives other bits.
    private static T[] Values<T>(int rank, int length)
        where T : unmanaged, INumber<T>
    {
        Random random = new(rank);
        return [.. Enumerable.Range(0, length).Select(_ => T.CreateTruncating((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(1, 12))))];
    }

    // Members beyond the largest power of two are added to the first ones; then neighbours, neighbours of those, and so on.
    private static T Tree<T>(T[] terms)
        where T : unmanaged, INumber<T>
    {
        int power = (int)BitOperations.RoundUpToPowerOf2((uint)terms.Length + 1) / 2;
        T[] level = terms[..power];
        for (int i = power; i < terms.Length; i++) level[i - power] += terms[i];
        while (level.Length > 1) level = [.. level.Chunk(2).Select(pair => pair[0] + pair[1])];
        return level[0];
    }
}
