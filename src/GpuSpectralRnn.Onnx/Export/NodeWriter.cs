using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>Writes a graph node by node. Every node is named after its first result.</summary>
internal sealed class NodeWriter
{
    /// <summary>The graph so far.</summary>
    public GraphProto Graph { get; } = new() { Name = "gsrnn" };

    /// <summary>Adds an input; an extent is a number, or a word where it may vary.</summary>
    public string Input(string name, int type, params object[] extents)
    {
        Graph.Input.Add(Value(name, type, extents));
        return name;
    }

    /// <summary>Adds an output of floats; an extent is a number, or a word where it may vary.</summary>
    public void Output(string name, params object[] extents) => Graph.Output.Add(Value(name, Tensors.Float, extents));

    /// <summary>Adds a constant of floats.</summary>
    public string Constant(string name, ReadOnlySpan<int> extents, ReadOnlySpan<float> values)
    {
        Graph.Initializer.Add(Tensors.Create(name, extents, values));
        return name;
    }

    /// <summary>The constant with these integers, one for each list.</summary>
    public string Integers(params long[] values)
    {
        string name = $"int64_{string.Join('_', values)}";
        if (Graph.Initializer.All(tensor => tensor.Name != name)) Graph.Initializer.Add(Tensors.Create(name, [values.Length], values));
        return name;
    }

    /// <summary>Adds a node with one result; gives its name.</summary>
    public string Node(string type, string result, string[] inputs, params AttributeProto[] attributes)
    {
        Node(type, [result], inputs, attributes);
        return result;
    }

    /// <summary>Adds a node.</summary>
    public void Node(string type, string[] results, string[] inputs, params AttributeProto[] attributes)
    {
        Graph.Node.Add(new NodeProto
        {
            OpType = type,
            Name = results.First(name => name.Length > 0),
            Input = { inputs },
            Output = { results },
            Attribute = { attributes },
        });
    }

    /// <summary>Adds a change of the order of axes.</summary>
    public string Transpose(string result, string input, params long[] order) => Node("Transpose", result, [input], Attributes.Create("perm", order));

    private static ValueProto Value(string name, int type, object[] extents)
    {
        TensorShapeProto shape = new();
        foreach (object extent in extents)
            shape.Dim.Add(extent is int number ? new DimensionProto { DimValue = number } : new DimensionProto { DimParam = (string)extent });
        return new ValueProto { Name = name, Type = new TypeProto { TensorType = new TensorTypeProto { ElemType = type, Shape = shape } } };
    }
}
