using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Import;

/// <summary>A recurrent node as a layer of this library.</summary>
/// <param name="Name">The node, for messages.</param>
/// <param name="Cell">Its cell.</param>
/// <param name="Weights">As the file holds them.</param>
internal sealed record LayerPart(string Name, Cell Cell, NodeWeights Weights)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="InvalidCallException">It does what no cell of this library does; the message names the node.</exception>
    public static LayerPart Read(ModelProto model, GraphTrace graph, RecurrentNode node)
    {
        string direction = Attributes.Word(node.Node, "direction", "forward");
        if (direction is not ("forward" or "bidirectional"))
            throw Refuse(node, $"walks in the direction {direction} alone; a network walks forward, or in both directions");
        if (Attributes.Find(node.Node, "clip") is not null) throw Refuse(node, "clips its sums, which no cell of this library does");
        if (Attributes.Integer(node.Node, "input_forget", 0) != 0)
            throw Refuse(node, "couples its input and forget gates, which no cell of this library does");
        foreach (RecurrentInput input in (RecurrentInput[])[RecurrentInput.W, RecurrentInput.R, RecurrentInput.B, RecurrentInput.P])
        {
            if (node.Input(input) is { Length: > 0 } value && Constants.FindObstacle(graph.Scope, value) is { } obstacle)
                throw Refuse(node, $"has an input {input} that is not constant but hangs on {obstacle}");
        }

        NodeWeights weights = NodeWeights.Read(model, node);
        if (weights.Directions != (direction == "forward" ? 1 : 2))
            throw Refuse(node, $"is {direction} but has weights of {weights.Directions} directions");
        foreach (RecurrentInput state in (RecurrentInput[])[RecurrentInput.InitialH, RecurrentInput.InitialC])
        {
            if (node.Input(state) is not { Length: > 0 } value || !graph.IsConstant(value)) continue;
            if (Constants.Evaluate(model, graph.Scope, value).Values.Any(number => number != 0))
                throw Refuse(node, "starts from a fixed state other than zero");
        }

        bool hasPeepholes = weights.Peephole is { } peephole && peephole.Values.Any(value => value != 0);
        return new LayerPart(node.ToString(), CellOf(node, weights.Directions) is var cell && hasPeepholes ? Cell.LstmPeephole : cell, weights);
    }

    /// <summary>Writes the weights into layer <paramref name="layer"/> of a network, in PyTorch's order.</summary>
    public void WriteTo(Parameters parameters, int layer)
    {
        int rows = Weights.Gates * Weights.Hidden;
        for (int direction = 0; direction < Weights.Directions; direction++)
        {
            RecurrentWeights to = parameters.Recurrent($"l{layer}{(direction == 1 ? ParameterSpec.Reverse : "")}");
            Write(Weights.Input.Values, direction * rows * Weights.Inputs, to.InputWeights);
            Write(Weights.Recurrent.Values, direction * rows * Weights.Hidden, to.HiddenWeights);
            if (to.Peepholes is { } peepholes)
                peepholes.CopyFrom<float>(CellSpec.PutBlocks(
                    OnnxCell.PeepholeOrder, Weights.Peephole!.Values.AsSpan(direction * 3 * Weights.Hidden, 3 * Weights.Hidden)));
            if (Weights.Bias is null) continue;
            Write(Weights.Bias.Values, direction * 2 * rows, to.InputBias);
            Write(Weights.Bias.Values, ((direction * 2) + 1) * rows, to.HiddenBias);
        }
    }

    private void Write(float[] values, int from, Tensor to) =>
        to.CopyFrom<float>(GateOrder.FromOnnx(Cell, values.AsSpan(from, (int)to.Shape.Count)));

    private static Cell CellOf(RecurrentNode node, int directions)
    {
        string[]? given = Attributes.Words(node.Node, "activations");
        if (given is null || Is(node.StandardActivations)) return node.StandardCell;
        if (node.Type == "RNN" && Is(["Relu"])) return Cell.RnnRelu;
        throw Refuse(node, $"has the activations {string.Join(", ", given)}, which no cell of this library has");

        bool Is(IReadOnlyList<string> functions) =>
            given.SequenceEqual(Enumerable.Repeat(functions, directions).SelectMany(f => f), StringComparer.OrdinalIgnoreCase);
    }

    private static InvalidCallException Refuse(RecurrentNode node, string reason) => new($"{node} cannot be represented: it {reason}.");
}
