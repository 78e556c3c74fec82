using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>Numbers of units to keep, one for each of <see cref="Recipe.UnitGroups"/>: of a stack one for each layer.</summary>
internal static class KeepCounts
{
    /// <summary>A plan with a part for every prunable axis; those that no group names stay whole.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="calibration">Of the network to compress.</param>
    /// <param name="keep">k of every group.</param>
    /// <param name="plan">Plans an axis for k units, given the units that an axis which is read together with it keeps; null for none.</param>
    /// <exception cref="InvalidCallException">It cannot be kept (<see cref="Check"/>).</exception>
    public static PruningPlan Plan(
        string method, Calibration calibration, IReadOnlyList<int> keep, Func<PrunableAxis, int, int, int[]?, UnitPlan> plan)
    {
        Recipe recipe = calibration.Network.Recipe;
        Check(recipe, calibration.Network.Graph, keep);
        IReadOnlyList<PrunableAxis> axes = calibration.Network.Graph.PrunableAxes;
        List<UnitPlan> parts = [];
        for (int i = 0; i < axes.Count; i++)
        {
            PrunableAxis axis = axes[i];
            int group = recipe.UnitGroups.TakeWhile(names => !names.Contains(axis.Name)).Count();
            int[]? tied = axes.Take(i).Select((other, at) => axis.TiedTo.Contains(other.Name) ? parts[at].Kept : null).FirstOrDefault(kept => kept is not null);
            parts.Add(group == keep.Count ? UnitPlan.Whole(axis.Units) : plan(axis, i, keep[group], tied));
        }

        return new PruningPlan(method, parts);
    }

    /// <summary>A plan with a part for every recurrence; all other axes stay whole.</summary>
    public static PruningPlan PlanRecurrences(
        string method, Calibration calibration, IReadOnlyList<int> keep, Func<PrunableAxis, int, int, UnitPlan> plan) =>
        Plan(method, calibration, keep, (axis, i, k, _) => IsRecurrent(calibration.Network.Graph, axis) ? plan(axis, i, k) : UnitPlan.Whole(axis.Units));

    /// <summary>Whether a recurrence makes the units of an axis.</summary>
    public static bool IsRecurrent(Graph graph, PrunableAxis axis) => graph.Recurrence(axis.Axis) is not null;

    /// <summary>Refuses numbers of an embedding's columns.</summary>
    /// <exception cref="InvalidCallException">It has not so many columns, or there is no embedding.</exception>
    public static void CheckEmbedding(Architecture architecture, int columns)
    {
        if (!architecture.HasEmbedding)
            throw new InvalidCallException($"`KeepEmbedding` {columns}: the model has no embedding; its inputs are the user's and stay as they are.");
        if (columns < 1 || columns > architecture.Inputs)
            throw new InvalidCallException($"`KeepEmbedding` {columns} is impossible for an embedding of {architecture.Inputs}; give 1 to {architecture.Inputs}.");
    }

    /// <summary>Units of each group.</summary>
    public static int[] Units(Recipe recipe, Graph graph) => [.. recipe.UnitGroups.Select(group => graph.Axis(group[0]).Size)];

    /// <summary>Refuses what cannot be kept.</summary>
    public static void Check(Recipe recipe, Graph graph, IReadOnlyList<int> keep)
    {
        int[] units = Units(recipe, graph);
        bool isStack = recipe is Architecture;
        if (keep.Count != units.Length)
            throw new InvalidCallException(
                $"`keep` gives {keep.Count} numbers for {units.Length} {(isStack ? "layers" : "groups of units")}; give one number, or one for each{(isStack ? " layer" : "")}.");
        for (int i = 0; i < keep.Count; i++)
        {
            string name = isStack ? $"layer {i}" : string.Join(" and ", recipe.UnitGroups[i]);
            if (keep[i] < 1 || keep[i] > units[i])
                throw new InvalidCallException($"`keep` {keep[i]} is impossible for {name} of {units[i]} units; give 1 to {units[i]}.");
        }

        if (graph.Nodes.Any(node => node.Module is Networks.Modules.Recurrent { Rank: > 0 }))
            throw new InvalidCallException("The model's recurrent matrix is kept as two factors; compress the model it was made from.");
    }
}
