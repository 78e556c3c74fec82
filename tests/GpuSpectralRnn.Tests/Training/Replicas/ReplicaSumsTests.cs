using System.Numerics;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training.Replicas;

/// <summary>Sums over the members of a group against the tree they are said to be.</summary>
public sealed class ReplicaSumsTests
{
    // From a single number to more than is sent whole (16 KB), odd ones and powers of two.
    public static TheoryData<int, int> Groups
    {
        get
        {
            TheoryData<int, int> groups = [];
            foreach (int size in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 16])
            {
                foreach (int count in (int[])[0, 1, 3, 443, 4096, 4097, 16411]) groups.Add(size, count);
            }

            // More than is summed at a time: 2^18 for each member.
            groups.Add(2, (1 << 19) + 443);
            groups.Add(3, 2 * 3 * (1 << 18));
            return groups;
        }
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void The_sums_are_those_of_a_balanced_tree_to_the_bit_at_every_member(int size, int count)
    {
        float[][] terms = [.. Enumerable.Range(0, size).Select(rank => Numbers.Normal(count, rank + 1))];
        float[] expected = Tree(terms, power: 1 << BitOperations.Log2((uint)size));
        double[][] doubles = [.. terms.Select(term => Array.ConvertAll(term, x => Math.Exp(x)))];
        double[] expectedDoubles = Tree(doubles, 1 << BitOperations.Log2((uint)size));

        Group.Run(size, replicas =>
        {
            float[] own = [.. terms[replicas.Rank]];
            replicas.Sum<float>(own);
            Assert.Equal(expected, own);
            double[] ownDoubles = [.. doubles[replicas.Rank]];
            replicas.Sum<double>(ownDoubles);
            Assert.Equal(expectedDoubles, ownDoubles);
            Assert.Equal(size * (size - 1L) / 2, replicas.Sum((long)replicas.Rank));
            Assert.Equal(size > 2, replicas.Any(replicas.Rank == 2));
            Assert.Equal(Enumerable.Range(0, size), replicas.Gather<int>([replicas.Rank]));
            int[] told = [replicas.Rank + 7];
            replicas.Broadcast<int>(told);
            Assert.Equal(7, told[0]);
        });
    }

    // The order of additions matters here: a sum in the order of ranks is another one.
    [Fact]
    public void The_tree_is_not_the_order_of_ranks()
    {
        float[][] terms = [[1e8f], [1], [-1e8f], [1]];
        Assert.NotEqual(terms.Sum(term => term[0]), Tree(terms, 4)[0]);
    }

    [Fact]
    public void A_member_that_leaves_is_named_to_those_who_wait()
    {
        IReadOnlyList<ThreadReplicas> members = ThreadReplicas.Create(2);
        members[1].Dispose();
        Assert.Contains("Member 1 left", Assert.Throws<RunFailedException>(() => members[0].Sum(1)).Message);
    }

    [Fact]
    public async Task A_member_that_ends_the_run_is_named_to_all()
    {
        IReadOnlyList<ThreadReplicas> members = ThreadReplicas.Create(3);
        Task<int> waits = Task.Run(() => members[0].Sum(1));
        members[2].Abort(1, "no space on the disk");
        Assert.Contains("member 2: no space on the disk", (await Assert.ThrowsAsync<RunFailedException>(() => waits)).Message);
        Assert.Throws<RunFailedException>(() => members[1].Sum(1));
    }

    [Fact]
    public void What_the_first_member_does_alone_fails_at_all()
    {
        Group.Run(3, replicas =>
        {
            bool isDone = false;
            replicas.FirstDoes("write", () => isDone = true);
            Assert.Equal(replicas.Rank == 0, isDone);
            Exception failure = Assert.ThrowsAny<Exception>(() => replicas.FirstDoes("write the model", () => throw new IOException("full")));
            Assert.Equal(replicas.Rank == 0 ? "full" : "Member 0 could not write the model.", failure.Message);
        });
    }

    private static T[] Tree<T>(T[][] terms, int power)
        where T : INumber<T>
    {
        // Those beyond the largest power of two are added to the first ones.
        T[][] level = [.. terms.Take(power).Select((term, i) => i + power < terms.Length ? Add(term, terms[i + power]) : term)];
        while (level.Length > 1) level = [.. level.Chunk(2).Select(pair => Add(pair[0], pair[1]))];
        return level[0];
    }

    private static T[] Add<T>(T[] a, T[] b)
        where T : INumber<T> => [.. a.Zip(b, (x, y) => x + y)];
}
