using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>A node that reads a value.</summary>
/// <param name="Scope">Its scope; perhaps a body inside the graph that makes the value.</param>
/// <param name="Node">The node.</param>
/// <param name="Input">Index of the node's input.</param>
internal readonly record struct Reader(Scope Scope, NodeProto Node, int Input)
{
    /// <summary>Every node that reads the value, those in bodies included; a node that reads it twice comes twice.</summary>
    /// <param name="scope">The scope that makes the value, or one that sees it.</param>
    /// <param name="value">The name.</param>
    public static IEnumerable<Reader> Find(Scope scope, string value)
    {
        foreach (NodeProto node in scope.Graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == value) yield return new Reader(scope, node, i);
            foreach (GraphProto body in GraphWalk.Bodies(node))
                foreach (Reader inner in Find(new Scope(body, node, scope), value)) yield return inner;
        }
    }

    /// <summary>Every result that the value is, of the graph that makes it and of bodies inside that.</summary>
    public static IEnumerable<(Scope Scope, int Index)> FindResults(Scope scope, string value)
    {
        for (int i = 0; i < scope.Graph.Output.Count; i++)
            if (scope.Graph.Output[i].Name == value) yield return (scope, i);
        foreach (NodeProto node in scope.Graph.Node)
        {
            foreach (GraphProto body in GraphWalk.Bodies(node))
                foreach ((Scope, int) inner in FindResults(new Scope(body, node, scope), value)) yield return inner;
        }
    }

    /// <summary>Whether the value is a result of the graph or of a body inside it.</summary>
    public static bool IsResult(GraphProto graph, string value) =>
        graph.Output.Any(output => output.Name == value) || graph.Node.SelectMany(GraphWalk.Bodies).Any(body => IsResult(body, value));
}
