using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Carries a plan out: a smaller dense network, whatever the graph (docs/method.md, section 4). Every module's parameters follow from how it meets
/// units (<see cref="UnitUse"/>): rows of dropped units go, columns that read units are folded, offsets go into biases.
/// </summary>
public static class Slicer
{
    /// <summary>The smaller network on the same backend; the caller owns it.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to this network.</exception>
    public static Network Slice(Network network, PruningPlan plan) => Slice(NetworkWeights.Read(network), plan).ToNetwork(network.Backend);

    /// <summary>The smaller network's weights.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to these weights.</exception>
    public static NetworkWeights Slice(NetworkWeights weights, PruningPlan plan)
    {
        Graph graph = weights.Graph;
        plan.Check(graph);
        Recipe recipe = plan.Shrink(weights.Recipe, graph);
        Graph small = recipe.Build();
        Dictionary<string, Matrix> values = [], masks = [];
        foreach ((Node node, Node target) in graph.Nodes.Zip(small.Nodes))
        {
            IReadOnlyList<string> before = node.Matrices, after = target.Matrices;
            for (int i = 0; i < before.Count; i++)
            {
                Matrix rows = Rows(weights, plan, node, before[i]);
                UnitPlan columns = Columns(graph, plan, node, before[i]);
                values[after[i]] = columns.Fold is null ? rows.SelectColumns(columns.Kept) : rows * columns.Fold;
                if (Mask(weights, plan, node, before[i]) is { } mask) masks[after[i]] = mask.SelectColumns(columns.Kept);
            }

            foreach ((string name, string renamed) in node.Vectors.Zip(target.Vectors)) values[renamed] = Bias(weights, plan, node, name);
            if (node.Module is Recurrent recurrent) Correct(values, plan.For(graph, node.Output.Units[0]), (Recurrent)target.Module);
            if (plan.Readout is { } readout && node == graph.OutputNode && target.Module is Linear linear)
            {
                values[linear.WeightName] = readout.Weight;
                values[linear.BiasName] = Column(readout.Bias);
            }
        }

        return new NetworkWeights(recipe, values) { Masks = masks };
    }

    /// <summary>A matrix without the rows of dropped units, masked; not yet folded.</summary>
    private static Matrix Rows(NetworkWeights weights, PruningPlan plan, Node node, string name)
    {
        Matrix whole = weights[name];
        if (OwnPlan(weights.Graph, plan, node, name) is { Mask: { } mask }) whole = Times(whole, mask);
        return SelectRows(weights.Graph, plan, node, name, whole);
    }

    // Zeros that stay zeros; none once every weight is a sum of many.
    private static Matrix? Mask(NetworkWeights weights, PruningPlan plan, Node node, string name)
    {
        UnitPlan? own = OwnPlan(weights.Graph, plan, node, name);
        Matrix? before = weights.Masks.GetValueOrDefault(name);
        Matrix? mask = own?.Mask is { } more ? before is null ? more : Times(more, before) : before;
        bool isCorrected = node.Module is Recurrent && plan.For(weights.Graph, node.Output.Units[0]).Correction is not null;
        if (mask is null || own?.Factors is not null || isCorrected || Columns(weights.Graph, plan, node, name).Fold is not null) return null;
        return SelectRows(weights.Graph, plan, node, name, mask);
    }

    private static Matrix Bias(NetworkWeights weights, PruningPlan plan, Node node, string name)
    {
        double[] bias = [.. SelectRows(weights.Graph, plan, node, name, weights[name]).Data];
        foreach (string reader in node.Matrices.Where(matrix => node.UsesOf(matrix).Any(use => use is ReadsLinearly linear && linear.Bias == name)))
        {
            if (Columns(weights.Graph, plan, node, reader).Offset is not { } offset) continue;
            Matrix rows = Rows(weights, plan, node, reader);
            for (int i = 0; i < bias.Length; i++)
                for (int j = 0; j < offset.Length; j++) bias[i] += rows[i, j] * offset[j];
        }

        return Column(bias);
    }

    private static Matrix SelectRows(Graph graph, PruningPlan plan, Node node, string name, Matrix values)
    {
        int[] rows = KeptRows(graph, plan, node.UsesOf(name));
        return rows.Length == 0 ? values : values.SelectRows(rows);
    }

    /// <summary>The rows of a parameter that belong to kept units, ascending; none where no rows belong to units.</summary>
    internal static int[] KeptRows(Graph graph, PruningPlan plan, IEnumerable<UnitUse> uses) =>
    [
        .. uses.OfType<RowsOfUnits>().SelectMany(use => Enumerable.Range(0, use.Blocks).SelectMany(
            block => plan.For(graph, use.Axis).Kept.Select(j => (block * (use.Stride == 0 ? use.Axis.Size : use.Stride)) + use.FirstRow + j)))
            .Distinct().Order(),
    ];

    // The plan of the recurrence whose matrix W_hh it is.
    private static UnitPlan? OwnPlan(Graph graph, PruningPlan plan, Node node, string name) =>
        node.Module is Recurrent recurrent && recurrent.HiddenWeight == name ? plan.For(graph, node.Output.Units[0]) : null;

    /// <summary>How a module reads the columns of a matrix.</summary>
    internal static UnitPlan Columns(Graph graph, PruningPlan plan, Node node, string name)
    {
        if (node.UsesOf(name).OfType<ProducesByColumns>().FirstOrDefault() is { } made)
            return UnitPlan.Whole(made.Axis.Size) with { Kept = plan.For(graph, made.Axis).Kept };
        return UnitPlan.Join([.. node.UsesOf(name).OfType<ReadsLinearly>().OrderBy(use => use.FirstColumn).Select(use => plan.For(graph, use.Axis))]);
    }

    private static void Correct(Dictionary<string, Matrix> values, UnitPlan own, Recurrent target)
    {
        if (own.Factors is { } factors)
        {
            values[target.LeftFactor] = factors.Left;
            values[target.RightFactor] = factors.Right;
        }

        if (own.Correction is not { } correction) return;
        values[target.HiddenWeight] += correction.Hidden;
        values[target.InputWeight] += correction.Input;
        values[target.HiddenBias] += Column(correction.Bias);
        values[target.InputBias] += Column(correction.InputBias);
    }

    private static Matrix Column(double[] values) => Matrix.From(values.Length, 1, values);

    private static Matrix Times(Matrix a, Matrix mask)
    {
        Matrix result = a.Clone();
        for (int i = 0; i < result.Data.Length; i++) result.Data[i] *= mask.Data[i];
        return result;
    }
}
