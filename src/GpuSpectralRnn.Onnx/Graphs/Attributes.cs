using Google.Protobuf;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Reads and writes the attributes of nodes.</summary>
internal static class Attributes
{
    private const int IntType = 2, StringType = 3, GraphType = 5, IntsType = 7, StringsType = 8;

    /// <summary>The attribute of this name, or null.</summary>
    public static AttributeProto? Find(NodeProto node, string name) => node.Attribute.FirstOrDefault(attribute => attribute.Name == name);

    /// <summary>An integer, or its default.</summary>
    public static long Integer(NodeProto node, string name, long otherwise) => Find(node, name)?.I ?? otherwise;

    /// <summary>A string, or its default.</summary>
    public static string Word(NodeProto node, string name, string otherwise) => Find(node, name)?.S?.ToStringUtf8() ?? otherwise;

    /// <summary>Strings; null if absent.</summary>
    public static string[]? Words(NodeProto node, string name) => Find(node, name)?.Strings.Select(word => word.ToStringUtf8()).ToArray();

    /// <summary>Integers; null if absent.</summary>
    public static long[]? Integers(NodeProto node, string name) => Find(node, name)?.Ints.ToArray();

    /// <summary>Sets a number.</summary>
    public static void Set(NodeProto node, string name, long value)
    {
        if (Find(node, name) is { } old) old.I = value;
        else node.Attribute.Add(Create(name, value));
    }

    /// <summary>A new number.</summary>
    public static AttributeProto Create(string name, long value) => new() { Name = name, Type = IntType, I = value };

    /// <summary>New numbers.</summary>
    public static AttributeProto Create(string name, params long[] values) => new() { Name = name, Type = IntsType, Ints = { values } };

    /// <summary>A new word.</summary>
    public static AttributeProto Create(string name, string value) => new() { Name = name, Type = StringType, S = ByteString.CopyFromUtf8(value) };

    /// <summary>New words.</summary>
    public static AttributeProto OfWords(string name, params IEnumerable<string> values) =>
        new() { Name = name, Type = StringsType, Strings = { values.Select(ByteString.CopyFromUtf8) } };

    /// <summary>A new body.</summary>
    public static AttributeProto Create(string name, GraphProto value) => new() { Name = name, Type = GraphType, G = value };
}
