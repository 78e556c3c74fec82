using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>Plans made axis by axis from numbers of units to keep.</summary>
internal static class AxisPlans
{
    /// <summary>A plan with a part for every prunable axis; those that no group names stay whole.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="calibration">Of the network to compress.</param>
    /// <param name="keep">k of every group (<see cref="Recipe.GroupUnits"/>).</param>
    /// <param name="plan">Plans an axis for k units, given the units that an axis which is read together with it keeps; null for none.</param>
    /// <exception cref="InvalidCallException">It cannot be kept (<see cref="Budget.Check(Recipe, Graph, IReadOnlyList{int})"/>).</exception>
    public static PruningPlan Plan(
        string method, Calibration calibration, IReadOnlyList<int> keep, Func<PrunableAxis, int, int, int[]?, UnitPlan> plan)
    {
        Recipe recipe = calibration.Network.Recipe;
        Budget.Check(recipe, calibration.Network.Graph, keep);
        IReadOnlyList<PrunableAxis> axes = calibration.Network.Graph.PrunableAxes;
        IReadOnlyList<IReadOnlyList<string>> groups = recipe.GroupUnits(calibration.Network.Graph);
        List<UnitPlan> parts = [];
        for (int i = 0; i < axes.Count; i++)
        {
            PrunableAxis axis = axes[i];
            int group = groups.TakeWhile(names => !names.Contains(axis.Name)).Count();
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
}
