using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>A pruning method by name, as the command line and tables know it.</summary>
/// <param name="Name">For example <c>adjoint</c>.</param>
/// <param name="Description">Short description.</param>
/// <param name="Settings">
/// Its default settings, which a caller may change. Baselines that drop units use fold and ridge alone, other baselines none.
/// </param>
/// <param name="Create">
/// Creates the method from settings; null for training at the small size from scratch, and for what <see cref="Train"/> prunes in training.
/// </param>
/// <param name="IsRefined">
/// Whether the small network is then refined on the big network's outputs, without labels (<see cref="Refinement"/>).
/// </param>
/// <param name="IsOneWay">Whether it supports unidirectional networks only.</param>
/// <param name="DropsUnits">Whether it drops units, so that others may stand for them; else weights or ranks.</param>
/// <param name="IsCentred">Whether it counts units by the eigenvalues of the covariance of the states, not of their Gram matrix.</param>
public sealed record MethodSpec(
    string Name,
    string Description,
    SpectralSettings Settings,
    Func<SpectralSettings, IPruningMethod>? Create,
    bool IsRefined = false,
    bool IsOneWay = false,
    bool DropsUnits = true,
    bool IsCentred = false)
{
    /// <summary>Name of the uncompressed network in tables.</summary>
    public const string Baseline = "baseline";

    /// <summary>The name of the main method, which tries all criteria, and its other name, that of the family.</summary>
    public const string Auto = "auto", Spectral = "spectral";

    /// <summary>The name of the network trained at the small size.</summary>
    public const string Scratch = "scratch";

    /// <summary>
    /// Creates the pruning of a network while it is trained further, with k for each layer as <see cref="IPruningMethod.Plan"/> takes it; null for
    /// methods that prune a trained network.
    /// </summary>
    public Func<IReadOnlyList<int>, ITrainedPruning>? Train { get; init; }

    private static readonly SpectralSettings Plain = new(), Unfolded = new() { Fold = FoldKind.None };

    // The paper searches forward, and weighs its two losses alike.
    private static readonly SpectralSettings Paper = new() { Criterion = SpectralCriterion.Paper, Theta = 0.5, Search = UnitSearch.Greedy };

    private static readonly MethodSpec AutoSpec = new(
        Auto, "spectral, the best of all criteria and refits by divergence from the big network", new SpectralSettings { Refit = Refit.Rows },
        settings => new AutoPruning(settings));

    /// <summary>All methods, in the order of the table. <c>-without</c>: the dropped units are not reconstructed from the kept ones.</summary>
    public static IReadOnlyList<MethodSpec> All { get; } =
    [
        new(Scratch, "trained from scratch at the small size", Plain, null),
        AutoSpec,
        new("auto-refined", "adjoint with the closest ridge, then brought closer to the big network's answers, without labels", Plain, CreateStart,
            IsRefined: true),
        new("adjoint", "spectral, units weighed by what they do to the outputs, backward", Plain, CreateSpectral),
        new("paper", "spectral, the paper's criterion (theta 0.5), greedy", Paper, CreateSpectral),
        new("paper-refined", "paper, then brought closer to the big network's answers, without labels", Paper, CreateSpectral, IsRefined: true),
        new("paper-without", "the paper's criterion, not reconstructed", Paper with { Fold = FoldKind.None }, CreateSpectral),
        new("random", "units drawn uniformly", Plain, CreateRandom),
        new("random-refined", "random, then brought closer to the big network's answers, without labels", Plain, CreateRandom, IsRefined: true),
        new("random-without", "units drawn uniformly, not reconstructed", Unfolded, CreateRandom),
        new("magnitude-unit", "units with the largest recurrent weights", Plain, CreateMagnitude),
        new("magnitude-unit-without", "units with the largest recurrent weights, not reconstructed", Unfolded, CreateMagnitude),
        new("iss-gm", "units farthest from the others' weights (geometric median)", Plain, CreateGeometricMedian, IsCentred: true),
        new("iss-gm-without", "units farthest from the others' weights, not reconstructed, as published", Unfolded, CreateGeometricMedian, IsCentred: true),
        new("magnitude-weight", "a mask: the k^2 largest recurrent weights", Plain, _ => new MagnitudeWeights(), DropsUnits: false),
        new("random-weight", "a mask: k^2 recurrent weights drawn uniformly", Plain, _ => new RandomWeights(), DropsUnits: false),
        new("biregular-weight", "a mask: k^2 recurrent weights as a random biregular graph, an expander", Plain, _ => new BiregularWeights(),
            DropsUnits: false),
        new("column", "a mask: k columns of the recurrent matrix", Plain, _ => new ColumnSparsification(), DropsUnits: false),
        new("low-rank", "the recurrent matrix as two factors of rank k, multiplied out to run: fewer weights, no less time", Plain,
            _ => new LowRank(), IsOneWay: true, DropsUnits: false),
        new(L0Pruning.MethodName, "gates on the units, closed while the network is trained further", Plain, null)
        {
            Train = keep => new L0Pruning(new L0Settings { Keep = keep, Gates = GatedUnits.Counted }),
        },
        new(IssPruning.MethodName, "a group lasso over the weights of each unit while the network is trained further", Plain, null)
        {
            Train = keep => new IssPruning(new IssSettings { Keep = keep }),
        },
        new(GradualPruning.MethodName, "a mask: k^2 recurrent weights, the small ones masked while the network is trained further", Plain, null, DropsUnits: false)
        {
            Train = keep => new GradualPruning(new GradualSettings { Keep = keep }),
        },
        new(ExpanderPruning.MethodName, "a mask: k^2 recurrent weights or as many as keep an expander, masked in rounds while the network is trained further", Plain,
            null, DropsUnits: false)
        {
            Train = keep => new ExpanderPruning(new ExpanderSettings { Keep = keep }),
        },
    ];

    /// <summary>Finds a method by its name; <c>spectral</c> is an alias of <c>auto</c>.</summary>
    /// <param name="name">Name of one of <see cref="All"/>.</param>
    /// <param name="setBy">Name of the setting, for the message: <c>`method`</c>.</param>
    /// <exception cref="InvalidCallException">There is no such method.</exception>
    public static MethodSpec Find(string name, string setBy) => All.FirstOrDefault(method => method.Name == (name == Spectral ? Auto : name))
        ?? throw new InvalidCallException($"{setBy} {name}: there is no such method; {Known}.");

    /// <summary>The methods with these names, in the order of the table; <c>all</c> stands for all.</summary>
    /// <exception cref="InvalidCallException">There is no such method, or no name.</exception>
    public static IReadOnlyList<MethodSpec> Parse(IEnumerable<string> methods)
    {
        string[] names = [.. methods.Select(name => name.Trim())];
        if (names.Length == 0) throw new InvalidCallException($"`methods` names none; {Known}, or all.");
        HashSet<MethodSpec> wanted = [.. names.Where(name => name != "all").Select(name => Find(name, "`methods`"))];
        return names.Contains("all") ? All : [.. All.Where(wanted.Contains)];
    }

    private static string Known => $"choose among {Spectral}, {string.Join(", ", All.Select(method => method.Name))}";

    private static AutoPruning CreateStart(SpectralSettings settings) => new(settings with { Refit = Refit.None }, isBrief: true);

    private static SpectralPruning CreateSpectral(SpectralSettings settings) => new(settings);

    private static RandomUnits CreateRandom(SpectralSettings settings) => new(settings.Fold != FoldKind.None, settings.Ridge);

    private static GeometricMedian CreateGeometricMedian(SpectralSettings settings) => new(settings.Fold != FoldKind.None, settings.Ridge);

    private static MagnitudeUnits CreateMagnitude(SpectralSettings settings) => new(settings.Fold != FoldKind.None, settings.Ridge);
}
