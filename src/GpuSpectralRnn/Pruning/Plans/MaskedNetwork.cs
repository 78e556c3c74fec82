using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// A plan carried out without making anything smaller: dropped units get zero rows, the consumers read A_J h_J by a square fold whose columns of
/// dropped units are zero. It must give the outputs of the sliced network: the proof that slicing lost nothing.
/// </summary>
public static class MaskedNetwork
{
    /// <summary>The network of full size; the caller owns it.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to this network.</exception>
    public static Network Create(Network network, PruningPlan plan) => Create(NetworkWeights.Read(network), plan).ToNetwork(network.Backend);

    /// <summary>Its weights.</summary>
    /// <exception cref="ArgumentException">The plan does not belong to these weights.</exception>
    public static NetworkWeights Create(NetworkWeights weights, PruningPlan plan)
    {
        Graph graph = weights.Graph;
        plan.Check(graph);
        Recipe recipe = weights.Recipe.Change(new Dictionary<string, int>(), apart: plan.Apart(graph));
        Dictionary<string, Matrix> values = [];
        foreach ((Node node, Node target) in graph.Nodes.Zip(recipe.Build().Nodes))
        {
            foreach ((string name, string renamed) in node.Vectors.Zip(target.Vectors)) values[renamed] = weights[name].Clone();
            IReadOnlyList<string> before = node.Matrices, after = target.Matrices;
            for (int i = 0; i < before.Count; i++)
            {
                Matrix whole = Whole(weights, plan, node, before[i]);
                UnitPlan columns = Slicer.Columns(graph, plan, node, before[i]);
                bool isTable = node.UsesOf(before[i]).Any(use => use is ProducesByColumns);
                values[after[i]] = isTable ? whole : whole * (columns.FoldOrSelector() * columns.Spread());
                if (columns.Offset is not { } offset || node.UsesOf(before[i]).OfType<ReadsLinearly>().First().Bias is not { } bias) continue;
                values[target.Vectors[node.Vectors.ToList().IndexOf(bias)]] += whole * Matrix.From(offset.Length, 1, offset);
            }

            if (node.Module is Recurrent recurrent && plan.For(graph, node.Output.Units[0]) is { Correction: { } correction } own)
                Correct(values, (Recurrent)target.Module, Slicer.KeptRows(graph, plan, node.UsesOf(recurrent.HiddenWeight)), own, plan.For(graph, node.Inputs[0]), correction);
            foreach (IGrouping<string, RowsOfUnits> uses in target.Uses.OfType<RowsOfUnits>().GroupBy(use => use.Parameter))
            {
                Matrix matrix = values[uses.Key];
                foreach (int row in Enumerable.Range(0, matrix.Rows).Except(Slicer.KeptRows(graph, plan, uses))) matrix.Row(row).Clear();
            }

            if (plan.Readout is not { } readout || node != graph.OutputNode || target.Module is not Linear linear) continue;
            values[linear.WeightName] = readout.Weight * plan.For(graph, node.Inputs[0]).Spread();
            values[linear.BiasName] = Matrix.From(readout.Bias.Length, 1, readout.Bias);
        }

        return new NetworkWeights(recipe, values);
    }

    // W_hh with what a plan for single weights or for its rank makes of it; any other matrix as it is.
    private static Matrix Whole(NetworkWeights weights, PruningPlan plan, Node node, string name)
    {
        Matrix whole = weights[name].Clone();
        if (node.Module is not Recurrent recurrent || recurrent.HiddenWeight != name) return whole;
        UnitPlan own = plan.For(weights.Graph, node.Output.Units[0]);
        if (own.Factors is { } factors) return factors.Left * factors.Right;
        for (int i = 0; own.Mask is { } mask && i < whole.Data.Length; i++)
            if (mask.Data[i] == 0) whole.Data[i] = 0;
        return whole;
    }

    private static void Correct(Dictionary<string, Matrix> values, Recurrent module, int[] rows, UnitPlan own, UnitPlan below, RowCorrection correction)
    {
        AddRows(values[module.HiddenWeight], rows, correction.Hidden * own.Spread());
        AddRows(values[module.InputWeight], rows, correction.Input * below.Spread());
        AddRows(values[module.HiddenBias], rows, Matrix.From(rows.Length, 1, correction.Bias));
        AddRows(values[module.InputBias], rows, Matrix.From(rows.Length, 1, correction.InputBias));
    }

    private static void AddRows(Matrix values, int[] rows, Matrix more)
    {
        for (int i = 0; i < rows.Length; i++)
            for (int j = 0; j < values.Columns; j++) values[rows[i], j] += more[i, j];
    }
}
