using System.Globalization;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>How many units each layer, or other group of axes, keeps; exactly one of the rules is given.</summary>
public sealed record Budget
{
    /// <summary>Counts: one for every layer, or one for all.</summary>
    public IReadOnlyList<int>? Keep { get; init; }

    /// <summary>Share of the units, above 0 and up to 1.</summary>
    public double? Fraction { get; init; }

    /// <summary>Whether eigenvalues are those of the covariance S - mean mean^T instead of S: for methods that count variance (ISS-GM).</summary>
    public bool IsCentred { get; init; }

    /// <summary>Share of Tr S that the largest eigenvalues hold, above 0 and up to 1.</summary>
    public double? Trace { get; init; }

    /// <summary>N(lambda), rounded up: the degrees of freedom at this lambda.</summary>
    public double? Lambda { get; init; }

    /// <summary>Counts are rounded up to multiples of this, as far as there are units.</summary>
    public int RoundTo { get; init; } = 1;

    /// <summary>
    /// Whether the layers share one budget: the parameters that the rule would leave, taken away where each costs the outputs least (L_G by
    /// backward elimination).
    /// </summary>
    public bool IsShared { get; init; }

    /// <summary>Checks what needs no data.</summary>
    /// <exception cref="InvalidCallException">Not exactly one rule is given, or its value is out of range.</exception>
    public void Check(Recipe recipe)
    {
        int rules = (Keep is null ? 0 : 1) + (Fraction is null ? 0 : 1) + (Trace is null ? 0 : 1) + (Lambda is null ? 0 : 1);
        if (rules != 1) throw new InvalidCallException("Say how much to keep, in one way: `Keep`, `Fraction`, `Trace`, `Lambda`, or by a search within a `tolerance`.");
        if (RoundTo < 1) throw new InvalidCallException($"`RoundTo` {RoundTo}: choose 1 or more.");
        if (Keep is not null)
        {
            Graph graph = recipe.Build();
            Check(recipe, graph, Counts(recipe.CountUnits(graph), Keep));
        }

        if (Fraction is { } share && !(share > 0 && share <= 1))
            throw new InvalidCallException($"`Fraction` {share} is not a share; give more than 0 and at most 1, for example 0.33.");
        if (Trace is { } power && !(power > 0 && power <= 1))
            throw new InvalidCallException($"`Trace` {power} is not a share of the power; give more than 0 and at most 1, for example 0.99.");
        if (Lambda is { } lambda && !(lambda > 0 && double.IsFinite(lambda)))
            throw new InvalidCallException($"`Lambda` {lambda}: give a number above 0.");
    }

    /// <summary>k for every layer.</summary>
    /// <exception cref="InvalidCallException">Not exactly one rule is given, or its value is out of range.</exception>
    public int[] Resolve(Calibration calibration)
    {
        Network network = calibration.Network;
        Check(network.Recipe);
        int[] units = network.Recipe.CountUnits(network.Graph), keep;
        if (Keep is not null)
        {
            keep = Counts(units, Keep);
        }
        else if (Fraction is { } share)
        {
            keep = OfShare(units, share);
        }
        else
        {
            // The axes of a group keep as many units: what the one that needs most needs.
            keep =
            [
                .. from places in GroupPlaces(network)
                   select places.Max(place => Spectrum.Compute(IsCentred ? calibration.CentredGram(place) : calibration.Gram(place)) is var spectrum && Trace is { } trace
                       ? spectrum.UnitsForTrace(trace)
                       : spectrum.UnitsForLambda(Lambda!.Value)),
            ];
        }

        if (IsShared) keep = Share(calibration, units, keep);
        return Rounded(units, keep, RoundTo);
    }

    /// <summary>Refuses what cannot be kept.</summary>
    internal static void Check(Recipe recipe, Graph graph, IReadOnlyList<int> keep)
    {
        int[] units = recipe.CountUnits(graph);
        bool isStack = recipe is Architecture;
        if (keep.Count != units.Length)
            throw new InvalidCallException(
                $"`keep` gives {keep.Count} numbers for {units.Length} {(isStack ? "layers" : "groups of units")}; give one number, or one for each{(isStack ? " layer" : "")}.");
        for (int i = 0; i < keep.Count; i++)
        {
            string name = isStack ? $"layer {i}" : string.Join(" and ", recipe.GroupUnits(graph)[i]);
            if (keep[i] < 1 || keep[i] > units[i])
                throw new InvalidCallException($"`keep` {keep[i]} is impossible for {name} of {units[i]} units; give 1 to {units[i]}.");
        }

        if (graph.Nodes.Any(node => node.Module is Networks.Modules.Recurrent { Rank: > 0 }))
            throw new InvalidCallException("The model's recurrent matrix is kept as two factors; compress the model it was made from.");
    }

    private static int[] Counts(int[] units, IReadOnlyList<int> keep) =>
        keep.Count == 1 ? [.. Enumerable.Repeat(keep[0], units.Length)] : [.. keep];

    /// <summary>The same share of every group's units, to the nearest count, at least 1.</summary>
    internal static int[] OfShare(IReadOnlyList<int> units, double share) => [.. units.Select(m => Math.Clamp((int)Math.Round(share * m), 1, m))];

    /// <summary>Counts rounded up to multiples.</summary>
    internal static int[] Rounded(IReadOnlyList<int> units, IReadOnlyList<int> keep, int multiple) =>
        [.. keep.Select((k, group) => Math.Min(units[group], (k + multiple - 1) / multiple * multiple))];

    private static int[] Share(Calibration calibration, int[] units, int[] keep)
    {
        Network network = calibration.Network;
        bool isFisher = calibration.Metric == AdjointMetric.Fisher;
        SpectralPruning adjoint = new(new SpectralSettings { Criterion = isFisher ? SpectralCriterion.Fisher : SpectralCriterion.Adjoint });
        IReadOnlyList<Selection>[] paths =
        [
            .. from places in GroupPlaces(network)
               select (Selection[])[.. places.Select(place => new BackwardSelector().Select(adjoint.Problem(calibration, place), 1))],
        ];
        return UnitAllocation.Allocate(units, paths, Count, Count(keep));

        long Count(IReadOnlyList<int> sizes) => AxisPlans.Plan("", calibration, sizes, (axis, _, k, _) => UnitPlan.Whole(axis.Units) with { Kept = [.. Enumerable.Range(0, k)] })
            .Shrink(network.Recipe, network.Graph).Build().ParameterCount;
    }

    // The places in Graph.PrunableAxes of each group's axes.
    private static IEnumerable<int[]> GroupPlaces(Network network) =>
        from names in network.Recipe.GroupUnits(network.Graph)
        select (int[])[.. network.Graph.PrunableAxes.Index().Where(pair => names.Contains(pair.Item.Name)).Select(pair => pair.Index)];
}

/// <summary>How many units to keep: one number for every layer, or one for each. Compared by what it says.</summary>
public sealed record KeepSize
{
    private readonly string text;

    /// <summary>The same number for every layer, or one for each.</summary>
    public KeepSize(params IReadOnlyList<int> units)
    {
        Units = units;
        text = string.Join('x', units);
    }

    /// <summary>One number, or one for each layer from the input up.</summary>
    public IReadOnlyList<int> Units { get; }

    /// <summary>The mean over the layers: where the size stands on an axis.</summary>
    public double Mean => Units.Average();

    /// <summary>The same size, in one number where all layers have the same.</summary>
    public KeepSize Shortened => Units.Distinct().Count() == 1 ? new KeepSize(Units[0]) : this;

    /// <summary>One number for every layer.</summary>
    public static implicit operator KeepSize(int units) => new(units);

    /// <summary>Reads <c>42</c>, or <c>64x32</c> for a network of two layers.</summary>
    /// <exception cref="InvalidCallException">It is neither, or a number is below one.</exception>
    public static KeepSize Parse(string text)
    {
        string[] parts = text.Split('x');
        int[] units = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out units[i]))
                throw new InvalidCallException($"`keep` {text}: give a number of units, 42, or one for each layer, 64x32.");
            if (units[i] < 1) throw new InvalidCallException($"`keep` {text}: choose 1 unit or more.");
        }

        return new KeepSize(units);
    }

    /// <summary>The units of every layer, or other group of axes (<see cref="Recipe.GroupUnits"/>).</summary>
    /// <param name="recipe">The network.</param>
    /// <param name="graph">Of its <see cref="Recipe.Build"/>.</param>
    public int[] Of(Recipe recipe, Graph graph) =>
        Units.Count == 1 ? [.. Enumerable.Repeat(Units[0], recipe.GroupUnits(graph).Count)] : [.. Units];

    /// <inheritdoc/>
    public bool Equals(KeepSize? other) => text == other?.text;

    /// <inheritdoc/>
    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    /// <summary><c>42</c> or <c>64x32</c>.</summary>
    public override string ToString() => text;
}
