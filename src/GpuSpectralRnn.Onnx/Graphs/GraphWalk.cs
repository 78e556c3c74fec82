using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Goes through a graph and the bodies of its nodes.</summary>
internal static class GraphWalk
{
    /// <summary>Every node with its scope, in the order of the file; a node stands before the nodes of its bodies.</summary>
    public static IEnumerable<(Scope Scope, NodeProto Node)> Nodes(Scope scope)
    {
        foreach (NodeProto node in scope.Graph.Node)
        {
            yield return (scope, node);
            foreach (GraphProto body in Bodies(node))
                foreach ((Scope Scope, NodeProto Node) inner in Nodes(new Scope(body, node, scope))) yield return inner;
        }
    }

    /// <summary>Whether the operator is one of ONNX's own.</summary>
    public static bool IsStandard(NodeProto node) => node.Domain is "" or "ai.onnx";

    /// <summary>Whether the node is a recurrent layer.</summary>
    public static bool IsRecurrent(NodeProto node) => node.OpType is "RNN" or "LSTM" or "GRU" && IsStandard(node);

    /// <summary>The graphs that a node holds: the branches of an If, the body of a Loop or Scan.</summary>
    public static IEnumerable<GraphProto> Bodies(NodeProto node) =>
        node.Attribute.SelectMany(attribute => attribute.G is null ? attribute.Graphs : attribute.Graphs.Prepend(attribute.G));

    /// <summary>The names that a graph and its bodies read, results included.</summary>
    public static IEnumerable<string> Reads(GraphProto graph) => graph.Output.Select(output => output.Name).Concat(graph.Node.SelectMany(Reads));

    /// <summary>The names that a node reads, those that its bodies take from outside (and inside) included.</summary>
    public static IEnumerable<string> Reads(NodeProto node) => node.Input.Concat(Bodies(node).SelectMany(Reads)).Where(name => name.Length > 0);

    /// <summary>Every constant.</summary>
    public static IEnumerable<TensorProto> Tensors(GraphProto graph) => graph.Initializer.Concat(
        graph.Node.SelectMany(node => node.Attribute.Where(a => a.T is not null).Select(a => a.T).Concat(Bodies(node).SelectMany(Tensors))));

    /// <summary>Every name that stands for a value.</summary>
    public static IEnumerable<string> Names(GraphProto graph) =>
        graph.Input.Select(input => input.Name).Concat(graph.Initializer.Select(tensor => tensor.Name))
            .Concat(graph.Node.SelectMany(node => node.Output.Concat(Bodies(node).SelectMany(Names))));

    /// <summary>The name of every node that has one; ONNX Runtime asks that those of a graph differ.</summary>
    public static IEnumerable<string> NodeNames(GraphProto graph) => graph.Node.SelectMany(node =>
        Bodies(node).SelectMany(NodeNames).Concat(node.Name.Length > 0 ? [node.Name] : []));
}
