using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Intrinsic sparse structures (Wen et al., ICLR 2018; docs/method.md, section 15): a group lasso lambda sum_k sqrt(||w_k||^2 + 1e-8) over all weights w_k
/// of a unit, as a proximal step after the optimiser's. Units whose weights come to nothing are sliced. With a target only the units beyond it shrink, those
/// of the smallest norms (a trimmed lasso): none at first, all but the target from the middle of the run on; lambda grows while more are open.
/// </summary>
/// <param name="settings">The aim.</param>
/// <exception cref="InvalidCallException">A setting is out of range.</exception>
public sealed class IssPruning(IssSettings settings) : ITrainedPruning
{
    /// <summary>Its name in tables and calls.</summary>
    public const string MethodName = "iss";

    /// <summary>
    /// By how many mean norms over the rest of the run the penalty rises in one step, over the run's length, for every share of the units too many: a
    /// tenth too many for a twentieth of the run takes a unit away within a tenth of it.
    /// </summary>
    private const double Gain = 2000;

    private readonly IssSettings settings = TrainedPruningSettings.Checked(settings);
    private Network? network;
    private UnitGroups[] groups = [];
    private int[] keep = []; // units of each of the groups at the end, with a target
    private RunExtent extent;

    /// <inheritdoc/>
    public string Name => MethodName;

    /// <inheritdoc/>
    public string Settings => settings.ToJson();

    /// <inheritdoc/>
    public bool SpansAllSteps => settings.HasTarget;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Compute.Tensor Values)> State =>
    [
        .. groups.SelectMany(group => ((string, Compute.Tensor)[])
        [
            ($"factors.{group.Axes[0]}", group.Before), ($"penalty.{group.Axes[0]}", group.Penalty), ($"scale.{group.Axes[0]}", group.Scale),
        ]),
    ];

    private Network Network => network ?? throw new InvalidOperationException("Groups are there once a run has begun.");

    /// <inheritdoc/>
    public void Begin(Network network, RunExtent extent)
    {
        if (this.network is not null) throw new InvalidOperationException("These groups are another run's.");
        Graph graph = network.Graph;
        IReadOnlyList<IReadOnlyList<string>> sizes = network.Recipe.GroupUnits(graph);
        Budget.Check(network.Recipe, graph, settings.Keep ?? network.Recipe.CountUnits(graph));
        if (sizes.Count == 0) throw new InvalidCallException("The network has no units that can be taken away, which a group lasso could close.");
        CheckShared(graph);
        (this.network, this.extent) = (network, extent);
        List<UnitGroups> found = [];
        List<int> counts = [];
        for (int size = 0; size < sizes.Count; size++)
        {
            foreach (string[] axes in Tied(graph, sizes[size]))
            {
                found.Add(new UnitGroups(network, axes));
                counts.Add(settings.Keep?[size] ?? Budget.OfShare([found[^1].Units], settings.TargetFraction ?? 1)[0]);
            }
        }

        (groups, keep) = ([.. found], [.. counts]);
        foreach (UnitGroups group in groups)
        {
            network.Backend.Fill(group.Scale, group.ReadNorms().Average());
            if (settings.GroupPenalty is { } lambda) network.Backend.Fill(group.Penalty, (float)lambda);
        }
    }

    /// <inheritdoc/>
    public void AfterStep(long step, double rate)
    {
        foreach (UnitGroups group in groups) group.SumSquares(); // weights between two layers belong to a unit of each
        for (int i = 0; i < groups.Length; i++)
        {
            UnitGroups group = groups[i];
            if (!settings.HasTarget)
            {
                group.Shrink(new((float)rate, (float)settings.Threshold, 0));
                continue;
            }

            int wanted = Wanted(step, i);
            group.Shrink(new(1f / extent.Steps, (float)settings.Threshold, wanted));
            group.MovePenalty((float)(Gain / ((double)extent.Steps * group.Units)), wanted);
        }
    }

    /// <inheritdoc/>
    public PruningReport Report(long step) => new(Name)
    {
        Axes =
        [
            .. from axis in Network.Graph.PrunableAxes
               from own in groups
               where own.Axes.Contains(axis.Name)
               let open = own.CountOpen()
               select new UnitCounts(axis.Name, axis.Units, open, axis.Units - open),
        ],
        Target = settings.HasTarget ? keep.Select((_, i) => (double)Wanted(step, i) / groups[i].Units).Average() : null,
        Penalty = settings.GroupPenalty,
    };

    /// <inheritdoc/>
    public Network? Slice() => Slicer.Slice(Network, Plan([.. groups.Select(group => group.CountOpen())]));

    /// <inheritdoc/>
    public Network? Finish()
    {
        PruningPlan plan = Plan(settings.HasTarget ? keep : [.. groups.Select(group => group.CountOpen())]);
        Network sliced = Slicer.Slice(Network, plan);
        using Network masked = MaskedNetwork.Create(Network, plan);
        Network.Parameters.CopyFrom(masked.Parameters);
        return sliced;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (UnitGroups group in groups) group.Dispose();
    }

    // Parts of a group of axes that must keep the very same units.
    private static IEnumerable<string[]> Tied(Graph graph, IReadOnlyList<string> axes)
    {
        HashSet<string> seen = [];
        foreach (string name in axes.Where(name => !seen.Contains(name)))
        {
            string[] tied = [name, .. graph.PrunableAxes.First(axis => axis.Name == name).TiedTo];
            seen.UnionWith(tied);
            yield return tied;
        }
    }

    // A weight that modules share but meet with different units would belong to groups of both.
    private void CheckShared(Graph graph)
    {
        PruningPlan smallest = new(Name, [.. graph.PrunableAxes.Select(axis => new UnitPlan { Units = axis.Units, Kept = [0] })]);
        if (smallest.Apart(graph).FirstOrDefault() is { } module)
            throw new InvalidCallException($"The weights of {module} are shared with a module that meets them with other units; a group lasso needs them apart.");
    }

    // Units of the groups at a step: from all down to the target over the first half of the run.
    private int Wanted(long step, int group)
    {
        int units = groups[group].Units;
        return (int)Math.Ceiling(units + ((keep[group] - units) * Math.Min(1, 2.0 * step / extent.Steps)));
    }

    // So many units of each of the groups, open ones first, then by their norms; directions side by side keep as many.
    private PruningPlan Plan(int[] counts)
    {
        Graph graph = Network.Graph;
        Dictionary<string, int[]> kept = [];
        foreach (IReadOnlyList<string> size in Network.Recipe.GroupUnits(graph))
        {
            int most = groups.Zip(counts).Where(pair => size.Contains(pair.First.Axes[0])).Max(pair => pair.Second);
            foreach (UnitGroups group in groups.Where(group => size.Contains(group.Axes[0])))
            {
                float[] norms = group.ReadNorms(), factors = group.Before.ToArray();
                if (most == 0)
                    throw new EverythingPrunedException(
                        $"All {group.Units} units of {group.Axes[0]} are closed and nothing is left: `GroupPenalty` {settings.GroupPenalty} is too large; "
                        + "take a tenth of it, or `TargetFraction`.");
                int[] best = [.. Enumerable.Range(0, group.Units).OrderBy(j => factors[j] == 0).ThenByDescending(j => norms[j]).Take(most).Order()];
                foreach (string axis in group.Axes) kept.Add(axis, best);
            }
        }

        return new PruningPlan(Name,
        [
            .. graph.PrunableAxes.Select(axis => kept.TryGetValue(axis.Name, out int[]? units)
                ? new UnitPlan { Units = axis.Units, Kept = units }
                : UnitPlan.Whole(axis.Units)),
        ]);
    }
}
