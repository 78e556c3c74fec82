namespace GpuSpectralRnn.Pruning;

/// <summary>A row of the comparison: a way to come to a small network.</summary>
/// <param name="Name">As tables and the command line name it.</param>
/// <param name="Description">What it is.</param>
/// <param name="Create">Makes the method; null for the network trained at the small size from scratch.</param>
/// <param name="IsRefined">Whether the small network then learns the big one's answers, without labels (<see cref="Distillation"/>).</param>
/// <param name="IsOneWay">Whether it is for networks of one direction only.</param>
public sealed record ComparedMethod(
    string Name, string Description, Func<IPruningMethod>? Create, bool IsRefined = false, bool IsOneWay = false)
{
    /// <summary>The name of the row of the network that is compressed.</summary>
    public const string Baseline = "baseline";

    // The paper searches forward, and weighs its two losses alike.
    private static readonly SpectralSettings Paper = new() { Criterion = SpectralCriterion.Paper, Theta = 0.5, Search = UnitSearch.Greedy };

    private static readonly Func<IPruningMethod> Auto = () => new AutoPruning(new SpectralSettings { Refit = Refit.Rows });

    /// <summary>All there are, in the order of the table. <c>-without</c>: the dropped units are not reconstructed from the kept ones.</summary>
    public static IReadOnlyList<ComparedMethod> All { get; } =
    [
        new("scratch", "trained from scratch at the small size", null),
        new("auto", "spectral, the best of all criteria and refits by divergence from the big network", Auto),
        new("auto-refined", "auto, then brought closer to the big network's answers, without labels", Auto, IsRefined: true),
        new("adjoint", "spectral, units weighed by what they do to the outputs, backward", () => new SpectralPruning(new SpectralSettings())),
        new("paper", "spectral, the paper's criterion (theta 0.5), greedy", () => new SpectralPruning(Paper)),
        new("paper-without", "the paper's criterion, not reconstructed", () => new SpectralPruning(Paper with { Fold = FoldKind.None })),
        new("random", "units drawn uniformly", () => new RandomUnits()),
        new("random-without", "units drawn uniformly, not reconstructed", () => new RandomUnits(isReconstructed: false)),
        new("magnitude-unit", "units with the largest recurrent weights", () => new MagnitudeUnits()),
        new("magnitude-unit-without", "units with the largest recurrent weights, not reconstructed",
            () => new MagnitudeUnits(isReconstructed: false)),
        new("magnitude-weight", "a mask: the k^2 largest recurrent weights", () => new MagnitudeWeights()),
        new("random-weight", "a mask: k^2 recurrent weights drawn uniformly", () => new RandomWeights()),
        new("column", "a mask: k columns of the recurrent matrix", () => new ColumnSparsification()),
        new("low-rank", "the recurrent matrix as two factors of rank k, multiplied out to run: fewer weights, no less time",
            () => new LowRank(), IsOneWay: true),
    ];

    /// <summary>The methods with these names, in the order of the table; <c>all</c> stands for all.</summary>
    /// <exception cref="InvalidCallException">There is no such method, or no name.</exception>
    public static IReadOnlyList<ComparedMethod> Parse(IEnumerable<string> methods)
    {
        string[] wanted = [.. methods.Select(name => name.Trim())];
        string known = $"choose all, or among {string.Join(", ", All.Select(method => method.Name))}";
        if (wanted.FirstOrDefault(name => name != "all" && All.All(method => method.Name != name)) is { } unknown)
            throw new InvalidCallException($"`methods` {unknown}: there is no such method; {known}.");
        if (wanted.Length == 0) throw new InvalidCallException($"`methods` names none; {known}.");
        return wanted.Contains("all") ? All : [.. All.Where(method => wanted.Contains(method.Name))];
    }
}
