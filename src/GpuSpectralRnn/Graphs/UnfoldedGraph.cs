using System.Collections;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Graphs;

/// <summary>
/// The graph of a network unfolded in time: copies of its layers, one for each step, joined by W_hh, fed by W_ih and read by the read-out. Tells
/// which outputs an input can reach.
/// </summary>
public static class UnfoldedGraph
{
    /// <summary>
    /// The share of pairs of an input and an output that a path joins within t steps, for t = 1, 2, ... (t = 1: the step of the input itself). Ends
    /// at <paramref name="steps"/>, or sooner with the step after which nothing is added.
    /// </summary>
    /// <param name="network">A network of recurrences and linear modules over one field of features.</param>
    /// <param name="steps">The most steps, one or more.</param>
    /// <returns>Null where the graph has other modules, whose paths are not of weights alone.</returns>
    public static double[]? Reachability(Network network, int steps)
    {
        Graph graph = network.Graph;
        if (graph.Fields.Count != 1 || graph.Value(graph.Fields[0].Name).Kind != ValueKind.Sequence || graph.Outputs.Count != 1) return null;
        if (graph.Nodes.Any(node => node.Module is not (Recurrent { Rank: 0 } or Linear) && !IsPassed(node.Module))) return null;
        Value input = graph.Value(graph.Fields[0].Name);
        Dictionary<string, BitArray[]> edges = LayerGraph.Matrices(graph)
            .ToDictionary(matrix => matrix.Parameter, matrix => Edges(network, matrix.Parameter, matrix.Gates));
        int[] added = new int[steps];
        for (int from = 0; from < input.Width; from++)
        {
            Dictionary<string, BitArray> state = [];
            BitArray reached = new(graph.Outputs[0].Width);
            for (int step = 0; step < steps && !reached.HasAllSet(); step++)
            {
                BitArray seen = new(input.Width);
                if (step == 0) seen[from] = true;
                int before = Count(reached);
                reached.Or(Step(graph, edges, state, new() { [input.Name] = seen }));
                added[step] += Count(reached) - before;
            }
        }

        double pairs = (double)input.Width * graph.Outputs[0].Width, sum = 0;
        int last = Array.FindLastIndex(added, count => count > 0);
        return [.. added.Take(Math.Max(1, last + 1)).Select(count => (sum += count) / pairs)];
    }

    // Whether a module hands on each number by itself, or its place among others.
    private static bool IsPassed(Module module) => module is Concat or LastStep or MeanOverSteps or Networks.Modules.Dropout or Activation;

    // The outputs that are reached in a step, and the units after it.
    private static BitArray Step(
        Graph graph, Dictionary<string, BitArray[]> edges, Dictionary<string, BitArray> state, Dictionary<string, BitArray> values)
    {
        foreach (Node node in graph.Nodes)
        {
            BitArray read = Join([.. node.Inputs.Select(value => values[value.Name])]);
            switch (node.Module)
            {
                case Recurrent cell:
                    BitArray units = Follow(edges[cell.InputWeight], read);
                    if (state.TryGetValue(node.Module.Name, out BitArray? before))
                    {
                        units.Or(Follow(edges[cell.HiddenWeight], before));
                        if (cell.Cell.Gates() > 1) units.Or(before); // the cell carries its state on by itself
                    }

                    values[node.Output.Name] = state[node.Module.Name] = units;
                    break;
                case Linear linear:
                    values[node.Output.Name] = Follow(edges[linear.WeightName], read);
                    break;
                default:
                    values[node.Output.Name] = read;
                    break;
            }
        }

        return values[graph.Outputs[0].Name];
    }

    private static BitArray Follow(BitArray[] rows, BitArray from)
    {
        BitArray result = new(rows.Length);
        for (int i = 0; i < rows.Length; i++) result[i] = new BitArray(rows[i]).And(from).HasAnySet();
        return result;
    }

    private static BitArray Join(BitArray[] parts)
    {
        if (parts.Length == 1) return parts[0];
        BitArray result = new(parts.Sum(part => part.Length));
        int at = 0;
        foreach (BitArray part in parts)
            foreach (bool bit in part) result[at++] = bit;
        return result;
    }

    private static int Count(BitArray bits) => bits.Cast<bool>().Count(bit => bit);

    // For every output its inputs, over all gates.
    private static BitArray[] Edges(Network network, string parameter, int gates)
    {
        Compute.Shape shape = network.Parameters[parameter].Shape;
        float[] kept = network.Parameters.MaskOf(parameter) ?? network.Parameters.Read(parameter);
        BitArray[] rows = [.. Enumerable.Range(0, shape.Rows / gates).Select(_ => new BitArray(shape.Columns))];
        for (int i = 0; i < shape.Rows; i++)
        {
            for (int j = 0; j < shape.Columns; j++)
                if (kept[(i * shape.Columns) + j] != 0) rows[i % rows.Length][j] = true;
        }

        return rows;
    }
}
