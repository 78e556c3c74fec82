using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>
/// The names of nodes that move from a function or a branch into the graph around them, and the attributes of the call. The bodies of the nodes have names
/// of their own, and see those around them.
/// </summary>
/// <param name="fresh">The name in the graph of a value that the nodes make.</param>
/// <param name="outside">The name in the graph of a value that they read and none of them makes; throws where there is no such.</param>
/// <param name="parent">The names around a body.</param>
internal sealed class MovedNames(Func<string, string> fresh, Func<string, string> outside, MovedNames? parent = null)
{
    private readonly Dictionary<string, string> names = [];
    private readonly MovedNames? parent = parent;

    /// <summary>The attributes by name: the caller's, else the function's defaults.</summary>
    public Dictionary<string, AttributeProto> Attributes { get; } = parent?.Attributes ?? [];

    /// <summary>Gives a name its value in the graph.</summary>
    public void Bind(string name, string value) => names[name] = value;

    /// <summary>Gives every value that nodes make a new name, unless it has one.</summary>
    public void Define(IEnumerable<NodeProto> nodes) => Define(nodes.SelectMany(node => node.Output));

    /// <summary>The name of a value in the graph.</summary>
    public string NameOf(string name)
    {
        if (name.Length == 0) return name;
        for (MovedNames? call = this; call is not null; call = call.parent)
            if (call.names.TryGetValue(name, out string? value)) return value;
        return outside(name);
    }

    /// <summary>Makes a node one of the graph.</summary>
    /// <param name="node">Changed.</param>
    /// <param name="taken">Told of every attribute of the call before it is copied.</param>
    public void Rewrite(NodeProto node, Action<AttributeProto>? taken = null)
    {
        for (int i = 0; i < node.Input.Count; i++) node.Input[i] = NameOf(node.Input[i]);
        for (int i = 0; i < node.Output.Count; i++) node.Output[i] = NameOf(node.Output[i]);
        GraphProto[] bodies = [.. GraphWalk.Bodies(node)]; // one that the caller gives as an attribute has names of the caller's
        for (int i = node.Attribute.Count - 1; i >= 0; i--)
        {
            if (node.Attribute[i] is not { RefAttrName: { Length: > 0 } asked, Name: var own }) continue;
            if (Attributes.TryGetValue(asked, out AttributeProto? given))
            {
                taken?.Invoke(given);
                node.Attribute[i] = given.Clone();
                node.Attribute[i].Name = own;
            }
            else
            {
                node.Attribute.RemoveAt(i); // left to the operator's default
            }
        }

        foreach (GraphProto body in bodies) new MovedNames(fresh, outside, this).Rewrite(body, taken);
    }

    /// <summary>Gives every one of these names a new one, unless it has one.</summary>
    public void Define(IEnumerable<string> made)
    {
        foreach (string name in made.Where(name => name.Length > 0))
            if (!names.ContainsKey(name)) names[name] = fresh(name);
    }

    private void Rewrite(GraphProto body, Action<AttributeProto>? taken)
    {
        Define(body.Input.Select(input => input.Name).Concat(body.Initializer.Select(tensor => tensor.Name)));
        Define(body.Node);
        foreach (ValueProto input in body.Input) input.Name = NameOf(input.Name);
        foreach (TensorProto tensor in body.Initializer) tensor.Name = NameOf(tensor.Name);
        foreach (NodeProto node in body.Node) Rewrite(node, taken);
        foreach (ValueProto output in body.Output) output.Name = NameOf(output.Name);
        body.ValueInfo.Clear(); // shapes of values that may have other ones in this call
    }
}
