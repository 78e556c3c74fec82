using System.Numerics;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Training;

/// <summary>Sums of losses and answers over the shards of a group, by the same tree as those of gradients.</summary>
internal static class ReplicaTotals
{
    /// <summary>Sums over all shards.</summary>
    /// <param name="plan">The group.</param>
    /// <param name="own">Of this member's shards.</param>
    public static LossSums Sum(this ReplicaPlan plan, ReadOnlySpan<LossSums> own) => plan.Sum(own, Add);

    /// <summary>Sums over all shards.</summary>
    public static AnswerSums Sum(this ReplicaPlan plan, ReadOnlySpan<AnswerSums> own) =>
        plan.Sum(own, (a, b) => new AnswerSums(a.Exact + b.Exact, a.F1 + b.F1, a.Count + b.Count));

    private static T Sum<T>(this ReplicaPlan plan, ReadOnlySpan<T> own, Func<T, T, T> add)
        where T : unmanaged
    {
        T sum = Tree(own, add);
        return plan.Replicas.Size == 1 ? sum : Tree(plan.Replicas.Gather<T>([sum]), add);
    }

    private static T Tree<T>(ReadOnlySpan<T> terms, Func<T, T, T> add)
    {
        if (terms.Length == 1) return terms[0];
        int half = (int)BitOperations.RoundUpToPowerOf2((uint)terms.Length) / 2;
        return add(Tree(terms[..half], add), Tree(terms[half..], add));
    }

    // Calls are those of the shard that made the most: one for each batch and output, as on one member. A bad call is the first of any shard.
    private static LossSums Add(LossSums a, LossSums b) => new(
        a.Loss + b.Loss,
        a.Correct + b.Correct,
        a.Rows + b.Rows,
        Math.Max(a.Calls, b.Calls),
        a.FirstBadCall < 0 || b.FirstBadCall < 0 ? Math.Max(a.FirstBadCall, b.FirstBadCall) : Math.Min(a.FirstBadCall, b.FirstBadCall));
}
