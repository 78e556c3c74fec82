using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>The graph of one weight matrix of a network, of one of its gates, or of all its gates together.</summary>
/// <param name="Name">The parameter's name, for a gate with its number: <c>rnn.weight_hh_l0[2]</c>.</param>
/// <param name="Parameter">The parameter's name.</param>
/// <param name="Gate">The gate, in the order of PyTorch; null for the whole matrix, of gates for their union: an edge that any of them keeps.</param>
/// <param name="Graph">The graph.</param>
public sealed record LayerGraph(string Name, string Parameter, int? Gate, BipartiteGraph Graph)
{
    /// <summary>The matrices that graphs are made of, with the number of their gates: of recurrences W_ih and W_hh, of linear modules W.</summary>
    public static IEnumerable<(Node Node, string Parameter, int Gates)> Matrices(Graph graph)
    {
        HashSet<string> seen = [];
        foreach (Node node in graph.Nodes)
        {
            (string Name, int Gates)[] found = node.Module switch
            {
                Recurrent { Rank: 0 } cell => [(cell.InputWeight, cell.Cell.Gates()), (cell.HiddenWeight, cell.Cell.Gates())],
                Recurrent cell => [(cell.InputWeight, cell.Cell.Gates())],
                Linear linear => [(linear.WeightName, 1)],
                _ => [],
            };
            foreach ((string name, int gates) in found)
                if (seen.Add(name)) yield return (node, name, gates);
        }
    }

    /// <summary>The graphs of a network's layers, in the order of a forward pass; of a gated cell the union first, then each gate.</summary>
    public static IReadOnlyList<LayerGraph> Read(Network network)
    {
        List<LayerGraph> layers = [];
        foreach ((_, string parameter, int gates) in Matrices(network.Graph))
        {
            Compute.Shape shape = network.Parameters[parameter].Shape;
            Matrix weights = Matrix.From(shape.Rows, shape.Columns, network.Parameters.Read(parameter));
            Matrix? mask = network.Parameters.MaskOf(parameter) is { } ones ? Matrix.From(shape.Rows, shape.Columns, ones) : null;
            layers.Add(new LayerGraph(parameter, parameter, null, Union(weights, mask, gates)));
            for (int gate = 0; gates > 1 && gate < gates; gate++)
                layers.Add(new LayerGraph($"{parameter}[{gate}]", parameter, gate,
                    new BipartiteGraph(Part(weights, gate, gates), mask is null ? null : Part(mask, gate, gates))));
        }

        return layers;
    }

    // An edge where any gate has one, as strong as all of them together.
    private static BipartiteGraph Union(Matrix weights, Matrix? mask, int gates)
    {
        if (gates == 1) return new BipartiteGraph(weights, mask);
        int rows = weights.Rows / gates;
        Matrix strengths = new(rows, weights.Columns), edges = new(rows, weights.Columns);
        Matrix kept = mask ?? weights;
        for (int i = 0; i < weights.Rows; i++)
        {
            for (int j = 0; j < weights.Columns; j++)
            {
                strengths[i % rows, j] += Math.Abs(weights[i, j]);
                if (kept[i, j] != 0) edges[i % rows, j] = 1;
            }
        }

        return new BipartiteGraph(strengths, edges);
    }

    private static Matrix Part(Matrix matrix, int gate, int gates)
    {
        int rows = matrix.Rows / gates;
        return Matrix.From(rows, matrix.Columns, matrix.Data.AsSpan(gate * rows * matrix.Columns, rows * matrix.Columns));
    }
}
