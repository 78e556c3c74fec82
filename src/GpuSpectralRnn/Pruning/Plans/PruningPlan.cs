using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Pruning;

/// <summary>What a compression method decided; <see cref="Slicer"/> carries it out, whatever the method.</summary>
/// <param name="Method">The method's family (<see cref="IPruningMethod.Name"/>).</param>
/// <param name="Axes">One part for each of <see cref="Graph.PrunableAxes"/>, in their order; those behind the recurrences' may be missing and then stay
/// as they are.</param>
/// <param name="Readout">Refitted weights of the module that gives the output; null: the old ones, folded.</param>
public sealed record PruningPlan(string Method, IReadOnlyList<UnitPlan> Axes, ReadoutWeights? Readout = null)
{
    /// <summary>Whether single weights were taken away: the network keeps its size, and training must keep the mask.</summary>
    public bool IsUnstructured => Axes.Any(plan => plan.Mask is not null);

    /// <summary>Whether units are dropped, rather than weights or ranks.</summary>
    public bool DropsUnits => Axes.All(plan => plan.Mask is null && plan.Factors is null);

    /// <summary>What becomes of an axis.</summary>
    public UnitPlan For(Graph graph, UnitAxis axis)
    {
        for (int i = 0; i < Axes.Count; i++)
            if (graph.PrunableAxes[i].Name == axis.Name) return Axes[i];
        return UnitPlan.Whole(axis.Size);
    }

    /// <summary>How a module reads a value: the parts of all its axes side by side.</summary>
    public UnitPlan For(Graph graph, Value value) => UnitPlan.Join([.. value.Units.Select(axis => For(graph, axis))]);

    /// <summary>The smaller network's recipe.</summary>
    public Recipe Shrink(Recipe recipe) => Shrink(recipe, recipe.Build());

    /// <summary>The smaller stack's recipe.</summary>
    public Architecture Shrink(Architecture architecture) => (Architecture)Shrink(architecture, architecture.Build());

    /// <summary>The smaller network's recipe.</summary>
    internal Recipe Shrink(Recipe recipe, Graph graph)
    {
        Dictionary<string, int> sizes = [], ranks = [];
        for (int i = 0; i < Axes.Count; i++)
        {
            sizes.Add(graph.PrunableAxes[i].Name, Axes[i].Kept.Length);
            if (Axes[i].Factors is not { } factors) continue;
            foreach (Node node in graph.Nodes.Where(node => node.Module is Recurrent recurrent && recurrent.Axis == graph.PrunableAxes[i].Name))
                ranks.Add(node.Module.Name, factors.Right.Rows);
        }

        return recipe.Change(sizes, ranks.Count == 0 ? null : ranks, Apart(graph));
    }

    /// <summary>
    /// Modules that share a parameter with one before them but meet it with other units, and so can share it no longer: a read-out tied to an
    /// embedding, once the one or the other changes.
    /// </summary>
    internal IReadOnlySet<string> Apart(Graph graph)
    {
        HashSet<string> apart = [];
        Dictionary<string, Node> owners = [];
        Node? refitted = Readout is null ? null : graph.OutputNode;
        foreach (Node node in graph.Nodes)
        {
            foreach (string name in node.Parameters)
            {
                if (owners.TryAdd(name, node)) continue;
                UnitUse[] first = [.. owners[name].UsesOf(name)], own = [.. node.UsesOf(name)];
                bool isAlike = first.ToHashSet().SetEquals(own);
                if (node == refitted || (!isAlike && first.Concat(own).Any(use => !For(graph, use.Axis).IsWhole))) apart.Add(node.Module.Name);
            }
        }

        return apart;
    }

    /// <summary>Refuses a plan that does not belong to the network.</summary>
    /// <exception cref="ArgumentException">Extents or units do not fit, or an axis cannot take what the plan has for it.</exception>
    public void Check(Graph graph)
    {
        IReadOnlyList<PrunableAxis> axes = graph.PrunableAxes;
        if (Axes.Count > axes.Count || Axes.Count < axes.Count(axis => graph.Recurrence(axis.Axis) is not null))
            throw new ArgumentException($"A plan for {Axes.Count} axes does not fit a network of {axes.Count}.");
        for (int i = 0; i < Axes.Count; i++)
        {
            (UnitPlan plan, PrunableAxis axis) = (Axes[i], axes[i]);
            plan.Check(axis.Name, axis.Units);
            int rows = (graph.Recurrence(axis.Axis)?.Cell.Gates() ?? 0) * plan.Units;
            if (plan.Mask is { } mask && (mask.Rows != rows || mask.Columns != plan.Units || plan.Kept.Length != plan.Units))
                throw new ArgumentException($"The mask of {axis.Name} is {mask}; it must be {rows} x {plan.Units}, with all units kept.");
            if (!axis.IsFoldable && (plan.Fold is not null || plan.Offset is not null))
                throw new ArgumentException($"The units of {axis.Name} are read element by element: they can be selected, not replaced by others.");
            foreach (string tied in axis.TiedTo)
            {
                if (!For(graph, graph.Axis(tied)).Kept.SequenceEqual(plan.Kept))
                    throw new ArgumentException($"The units of {axis.Name} and of {tied} are read together; the plan must keep the same of both.");
            }
        }
    }
}
