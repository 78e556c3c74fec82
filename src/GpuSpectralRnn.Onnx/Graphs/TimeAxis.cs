using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>
/// Recurrent nodes with <c>layout=1</c>, whose arrays have the batch in front (X [N, T, I], initial states [N, D, H]; Y [N, T, D, H], Y_h and Y_c
/// [N, D, H]): ONNX has them since opset 14, ONNX Runtime runs none. The same numbers come of the default layout between transpositions.
/// </summary>
internal static class TimeAxis
{
    private static readonly int[] Arrays = [0, 5, 6]; // X, initial_h, initial_c; sequence_lens and the weights have no such axes
    private static readonly long[] Swapped = [1, 0, 2], Restored = [2, 0, 1, 3]; // of Y [T, D, N, H]

    /// <summary>Puts the time axis of every such node in front. Names and shapes of the values around it stay.</summary>
    /// <param name="model">Changed.</param>
    public static void MoveToFront(ModelProto model)
    {
        FreshNames? names = null;
        foreach ((Scope scope, NodeProto node) in GraphWalk.Nodes(new Scope(model.Graph)).Where(pair => IsBatchFirst(pair.Node)).ToArray())
            MoveToFront(scope.Graph, node, names ??= new FreshNames(model.Graph));
    }

    private static bool IsBatchFirst(NodeProto node) => GraphWalk.IsRecurrent(node) && Attributes.Integer(node, "layout", 0) == 1;

    private static void MoveToFront(GraphProto graph, NodeProto node, FreshNames names)
    {
        int place = graph.Node.IndexOf(node);
        foreach (int i in Arrays.Where(i => i < node.Input.Count && node.Input[i].Length > 0))
        {
            string turned = names.Of($"{node.Input[i]}/time_first");
            graph.Node.Insert(place++, Transpose(node.Input[i], turned, Swapped));
            node.Input[i] = turned;
        }

        for (int i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i].Length == 0) continue;
            string turned = names.Of($"{node.Output[i]}/time_first");
            graph.Node.Insert(place + 1, Transpose(turned, node.Output[i], i == 0 ? Restored : Swapped));
            node.Output[i] = turned;
        }

        node.Attribute.Remove(Attributes.Find(node, "layout"));
    }

    private static NodeProto Transpose(string from, string to, long[] order) =>
        new() { Name = $"{to}/transpose", OpType = "Transpose", Input = { from }, Output = { to }, Attribute = { Attributes.Create("perm", order) } };
}
