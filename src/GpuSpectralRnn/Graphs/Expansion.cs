using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>How well a bipartite graph expands: its two largest singular values, and what is made of them (docs/method.md, section 16).</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Sigma1">The largest singular value of the biadjacency matrix; sqrt(d_L d_R) where degrees are equal on each side.</param>
/// <param name="Sigma2">The second, the largest non-trivial eigenvalue of the adjacency matrix.</param>
public sealed record Expansion(BipartiteGraph Graph, double Sigma1, double Sigma2)
{
    /// <summary>The mean degree on each side below which Ramanujan's bound says nothing.</summary>
    public const double LeastDegree = 3;

    /// <summary>Nodes that must share a left degree to count in <see cref="MeanBound"/>.</summary>
    private const int LeastAlike = 3;

    /// <summary>Rounding of eigenvalues, which must not decide whether a graph on the bound is Ramanujan.</summary>
    private const double Rounding = 1e-9;

    /// <summary>Whether both mean degrees are <see cref="LeastDegree"/> or more, so that bounds mean something.</summary>
    public bool IsEvaluated => Math.Min(Graph.MeanLeftDegree, Graph.MeanRightDegree) >= LeastDegree;

    /// <summary>sigma_1 - sigma_2.</summary>
    public double SpectralGap => Sigma1 - Sigma2;

    /// <summary>(sigma_1 - sigma_2) / sigma_1; 0 of a graph without edges.</summary>
    public double RelativeGap => Sigma1 > 0 ? SpectralGap / Sigma1 : 0;

    /// <summary>sigma_1 - sigma_2 of |w| in the place of ones.</summary>
    public required double WeightedGap { get; init; }

    /// <summary>sqrt(d_L - 1) + sqrt(d_R - 1), of mean degrees; not a number where one is below 1.</summary>
    public double RamanujanBound => Math.Sqrt(Graph.MeanLeftDegree - 1) + Math.Sqrt(Graph.MeanRightDegree - 1);

    /// <summary>delta_R, the bound less sigma_2; null where <see cref="IsEvaluated"/> is not.</summary>
    public double? DeltaR => IsEvaluated ? RamanujanBound - Sigma2 : null;

    /// <summary>
    /// delta_S = 2 sqrt(sigma_1 - 1) - sigma_2, whose bound is of the largest eigenvalue, not of mean degrees; null as <see cref="DeltaR"/>.
    /// </summary>
    public double? DeltaS => IsEvaluated ? (2 * Math.Sqrt(Sigma1 - 1)) - Sigma2 : null;

    /// <summary>delta_R over its bound.</summary>
    public double? Relative => DeltaR / RamanujanBound;

    /// <summary>Whether the graph is Ramanujan, delta_R 0 or more but for rounding; null where it cannot be judged.</summary>
    public bool? IsRamanujan => DeltaR is { } delta ? delta >= -Rounding * Sigma1 : null;

    /// <summary>
    /// IMDB: the mean delta_R of the d-left-regular subgraphs, of each left degree that three nodes or more share; null where there are none.
    /// </summary>
    public double? MeanBound { get; init; }

    /// <summary>How many subgraphs that is the mean of.</summary>
    public int Subgraphs { get; init; }

    /// <summary>lambda_2 of the normalised Laplacian, 1 - sigma_2(D_R^(-1/2) B D_L^(-1/2)); null of a graph without edges.</summary>
    public double? Lambda2 { get; init; }

    /// <summary>lambda_2 / 2, below the Cheeger constant h.</summary>
    public double? CheegerLower => Lambda2 / 2;

    /// <summary>sqrt(2 lambda_2), above the Cheeger constant h.</summary>
    public double? CheegerUpper => Lambda2 is { } lambda ? Math.Sqrt(2 * lambda) : null;

    /// <summary>Evaluates a graph; Gram matrices are the device's.</summary>
    public static Expansion Compute(IBackend backend, BipartiteGraph graph)
    {
        Expansion plain = Unweighted(backend, graph);
        (double first, double second) = GraphSpectrum.LargestTwo(backend, graph.Strengths);
        double[] bounds = plain.IsEvaluated
            ? [.. graph.RegularSubgraphs(LeastAlike).Select(part => SubgraphBound(backend, part))]
            : [];
        double? lambda = graph.Edges == 0 ? null
            : graph.IsComplete ? 1 : Math.Clamp(1 - GraphSpectrum.LargestTwo(backend, graph.Normalised()).Second, 0, 1);
        return plain with
        {
            WeightedGap = first - second,
            MeanBound = bounds.Length == 0 ? null : bounds.Average(),
            Subgraphs = bounds.Length,
            Lambda2 = lambda,
        };
    }

    /// <summary>The singular values of the graph alone, without weights, subgraphs and Laplacian: what decides in pruning.</summary>
    public static Expansion Unweighted(IBackend backend, BipartiteGraph graph)
    {
        (double first, double second) = graph.IsComplete ? (Math.Sqrt(graph.Edges), 0) : GraphSpectrum.LargestTwo(backend, graph.Biadjacency);
        return new Expansion(graph, first, second) { WeightedGap = double.NaN };
    }

    private static double SubgraphBound(IBackend backend, BipartiteGraph part)
    {
        Expansion expansion = Unweighted(backend, part);
        return expansion.RamanujanBound - expansion.Sigma2;
    }
}
