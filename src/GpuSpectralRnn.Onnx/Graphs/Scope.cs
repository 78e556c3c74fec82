using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>A graph and its place: the main graph, or the body of a node of another graph.</summary>
/// <param name="Graph">The nodes and constants of this scope.</param>
/// <param name="Owner">The node whose body this is; null for the main graph.</param>
/// <param name="Parent">The owner's scope, whose values are visible here; null for the main graph.</param>
internal sealed record Scope(GraphProto Graph, NodeProto? Owner = null, Scope? Parent = null)
{
    /// <summary>The scope that makes the value (as a node, a constant or an input), or null.</summary>
    public Scope? Definer(string value)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
            if (scope.Initializer(value) is not null || scope.Producer(value) is not null || scope.Graph.Input.Any(input => input.Name == value))
                return scope;
        return null;
    }

    /// <summary>The node of this scope that makes the value, or null.</summary>
    public NodeProto? Producer(string value) => Graph.Node.FirstOrDefault(node => node.Output.Contains(value));

    /// <summary>The constant of this name in this scope, or null.</summary>
    public TensorProto? Initializer(string value) => Graph.Initializer.FirstOrDefault(tensor => tensor.Name == value);
}
