using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Units drawn without replacement with given probabilities: uniform, as a baseline, or by leverage scores (docs/method.md, section 3.5; Bach, JMLR
/// 18, 2017). Equal seeds give equal units.
/// </summary>
public sealed class SampledSelector : ISelector
{
    private readonly double[]? weights;
    private readonly ulong seed;

    private SampledSelector(string name, double[]? weights, ulong seed)
    {
        Name = name;
        this.weights = weights;
        this.seed = seed;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Every unit with the same probability.</summary>
    public static SampledSelector Uniform(ulong seed) => new("random", null, seed);

    /// <summary>
    /// Each draw takes unit j with a probability proportional to <paramref name="scores"/>[j]; units of score zero come last, in order.
    /// </summary>
    public static SampledSelector Leverage(double[] scores, ulong seed) => new("leverage", scores, seed);

    /// <inheritdoc/>
    public Selection Select(SelectionProblem problem, int keep)
    {
        problem.CheckKeep(keep);
        if (weights is not null && weights.Length != problem.Units)
            throw new ArgumentException($"{weights.Length} scores do not fit {problem.Units} units.", nameof(problem));

        // The k least of -log(u_j) / q_j are k successive draws by q (Efraimidis and Spirakis, Inf. Proc. Letters 97, 2006).
        double[] keys = new double[problem.Units];
        for (int j = 0; j < keys.Length; j++)
        {
            double uniform = (Philox.Word(seed, 0, (ulong)j) + 0.5) / 4294967296.0;
            keys[j] = -Math.Log(uniform) / (weights?[j] ?? 1);
        }

        int[] order = [.. Enumerable.Range(0, keys.Length).OrderBy(j => keys[j]).Take(keep)];
        int[] kept = [.. order.Order()];
        double loss = problem.Loss(kept);
        SweepTableau tableau = new(problem, [], movesKept: false, movesDropped: true);
        List<LossPoint> path = [new(0, problem.WholeLoss)];
        foreach (int j in order)
        {
            path.Add(new LossPoint(path.Count, path[^1].Loss - tableau.Change(j)));
            tableau.Move(j);
        }

        return new Selection(kept, loss, order, path);
    }
}
