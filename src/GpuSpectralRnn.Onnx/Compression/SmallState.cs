using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// Reduces the states between calls to the kept units: an input that is the initial state of a cut node loses the selection of kept units behind it,
/// an output that is the node's last state loses the product before it.
/// </summary>
internal static class SmallState
{
    /// <summary>Changes a graph whose nodes are cut.</summary>
    /// <param name="model">The graph.</param>
    /// <param name="states">Output to input.</param>
    /// <param name="cut">The nodes that were cut, in it.</param>
    /// <exception cref="InvalidCallException">A state is more than the state of one cut node; the message names it.</exception>
    public static void Shrink(ModelProto model, IReadOnlyDictionary<string, string> states, IReadOnlyList<(RecurrentNode Node, NodePlan Plan)> cut)
    {
        foreach ((string output, string input) in states) Shrink(model, output, input, cut);
    }

    private static void Shrink(ModelProto model, string output, string input, IReadOnlyList<(RecurrentNode Node, NodePlan Plan)> cut)
    {
        GraphProto graph = model.Graph;
        Scope scope = new(graph);
        Reader[] readers = [.. Reader.Find(scope, input)];
        if (readers.Length != 1 || FindTaken(readers[0].Node, cut) is not { } taken)
        {
            string others = string.Join(", ", readers.Select(reader => $"{reader.Node.OpType} {reader.Node.Name}"));
            throw new InvalidCallException(
                $"`ShrinksState`: the input {input} is not the initial state of one cut node alone; it is read by {others}.");
        }

        (RecurrentNode node, NodePlan plan, RecurrentInput initial) = taken;
        NodeProto? whole = scope.Producer(output);
        string small = node.Output(initial == RecurrentInput.InitialC ? RecurrentOutput.C : RecurrentOutput.H);
        if (whole is not { OpType: "MatMul" } || whole.Input[0] != small || Reader.Find(scope, output).Any())
            throw new InvalidCallException($"`ShrinksState`: the output {output} is not the last state of {node} alone.");
        if (plan.Directions > 1) throw new InvalidCallException($"`ShrinksState`: {node} has two directions, whose states are not shrunk.");
        node.SetInput(initial, input);
        NodeProto take = readers[0].Node;
        graph.Node.Remove(take);
        UnusedValues.Remove(scope, take.Input[1]);
        int last = node.Node.Output.IndexOf(small);
        graph.Node.Remove(whole);
        node.Node.Output[last] = output;
        foreach (Reader reader in Reader.Find(scope, small).ToArray()) reader.Node.Input[reader.Input] = output;
        UnusedValues.Remove(scope, whole.Input[1]);
        Resize(graph.Input.First(value => value.Name == input), plan.Units);
        Resize(graph.Output.First(value => value.Name == output), plan.Units);
    }

    // The node whose initial state the operator takes the kept units for.
    private static (RecurrentNode Node, NodePlan Plan, RecurrentInput Initial)? FindTaken(
        NodeProto take, IReadOnlyList<(RecurrentNode Node, NodePlan Plan)> cut)
    {
        foreach ((RecurrentNode node, NodePlan plan) in cut)
        {
            foreach (RecurrentInput initial in (RecurrentInput[])[RecurrentInput.InitialH, RecurrentInput.InitialC])
            {
                string kept = node.Input(initial);
                if (node.Scope.Owner is null && kept.Length > 0 && take.Output.Contains(kept)) return (node, plan, initial);
            }
        }

        return null;
    }

    private static void Resize(ValueProto value, int units)
    {
        if (value.Type?.TensorType?.Shape?.Dim is not { Count: > 0 } extents) return;
        extents[^1] = new DimensionProto { DimValue = units };
    }
}
