using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Specialization;

/// <summary>
/// A graph for calls of one kind: inputs of fixed shapes, some of a fixed value. Every If of the main graph whose condition follows from these alone is
/// replaced by the branch that it takes, so that what exporters ask at every call (is this extent 1, is there a state, which sampling rate) is asked no more,
/// and the branches for other calls are gone.
/// </summary>
internal static class SpecialGraph
{
    /// <summary>Changes a graph.</summary>
    /// <param name="model">The graph.</param>
    /// <param name="session">It, opened.</param>
    /// <param name="calls">Calls of that kind.</param>
    /// <returns>The calls that it is for, for example <c>input [1, 576], sr=16000</c>.</returns>
    /// <exception cref="InvalidCallException">The calls are of several kinds.</exception>
    public static string Apply(ModelProto model, InferenceSession session, GraphCalls calls)
    {
        if (calls.Variants > 1)
            throw new InvalidCallException($"`IsSpecialized` is for calls of one kind, and here are {calls.Chosen}; choose one by `Fixed`.");
        GraphProto graph = model.Graph;
        Dictionary<NodeProto, GraphProto> taken = Branches.Find(model, model, calls);
        (Func<string, string> value, Func<string, string> nodeName) = (Distinct([.. GraphWalk.Names(graph)]), Distinct([.. GraphWalk.NodeNames(graph)]));
        for (int at = 0; at < graph.Node.Count; at++)
        {
            // What stands before is looked through already; a branch that comes in may hold the next If.
            NodeProto node = graph.Node[at];
            if (!taken.TryGetValue(node, out GraphProto? branch)) continue;
            Scope scope = new(graph);
            if (!new FixedValues(scope, calls.Fixed.Keys.ToHashSet()).Contains(node.Input[0])) continue;
            string[] read = [.. GraphWalk.Reads(node).Distinct()];
            graph.Node.RemoveAt(at);
            NodeProto[] nodes = Open(graph, node, branch, value);
            foreach (NodeProto inner in nodes.Where(inner => inner.Name.Length > 0)) inner.Name = nodeName(inner.Name);
            for (int i = 0; i < nodes.Length; i++) graph.Node.Insert(at + i, nodes[i]);
            int before = graph.Node.Count;
            foreach (string name in read) UnusedValues.Remove(scope, name);
            at -= 1 + before - graph.Node.Count; // what went stood before, or is looked at once more
            at = Math.Max(-1, at);
        }

        foreach ((string name, int[] shape) in calls.Shapes(session))
        {
            if (graph.Input.First(input => input.Name == name).Type?.TensorType is not { } type) continue;
            type.Shape = new TensorShapeProto { Dim = { shape.Select(extent => new DimensionProto { DimValue = extent }) } };
        }

        return string.Join(", ", calls.Shapes(session).Select(input =>
            calls.Fixed.TryGetValue(input.Name, out string? value) ? $"{input.Name}={value}" : $"{input.Name} [{string.Join(", ", input.Shape)}]"));
    }

    // A name that only one has stays as it is.
    private static Func<string, string> Distinct(string[] all)
    {
        Dictionary<string, int> counts = all.CountBy(name => name).ToDictionary();
        FreshNames fresh = new(all);
        return name => counts[name] == 1 ? name : fresh.Of(name);
    }

    // The nodes of a branch, whose constants become the graph's.
    private static NodeProto[] Open(GraphProto graph, NodeProto choice, GraphProto branch, Func<string, string> fresh)
    {
        MovedNames names = new(fresh, name => name);
        HashSet<string> made = [.. branch.Node.SelectMany(node => node.Output)];
        List<(string Value, string Output)> copied = [];
        for (int i = 0; i < choice.Output.Count; i++)
        {
            if (choice.Output[i].Length == 0) continue;
            if (made.Remove(branch.Output[i].Name)) names.Bind(branch.Output[i].Name, choice.Output[i]);
            else copied.Add((branch.Output[i].Name, choice.Output[i]));
        }

        names.Define(branch.Initializer.Select(tensor => tensor.Name));
        names.Define(branch.Node);
        foreach (TensorProto tensor in branch.Initializer)
        {
            tensor.Name = names.NameOf(tensor.Name);
            graph.Initializer.Add(tensor);
        }

        foreach (NodeProto node in branch.Node) names.Rewrite(node);
        return
        [
            .. branch.Node,
            .. copied.Select(copy => new NodeProto { OpType = "Identity", Input = { names.NameOf(copy.Value) }, Output = { copy.Output } }),
        ];
    }
}
