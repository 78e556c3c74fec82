using System.Runtime.InteropServices;
using Google.Protobuf;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Tests.Support;

/// <summary>Makes ONNX graphs in code, with random weights.</summary>
internal sealed class GraphMaker
{
    private const int FloatType = 1, IntType = 6, LongType = 7, BoolType = 9;
    private readonly Random random = new(7);

    public GraphMaker(GraphProto? graph = null) => Graph = graph ?? new GraphProto { Name = "graph" };

    public GraphProto Graph { get; }

    /// <summary>The file; <paramref name="unknown"/> adds a field that the schema here does not have (the model's domain).</summary>
    public byte[] ToFile(bool unknown = false, long opset = 17)
    {
        ModelProto model = new() { IrVersion = 8, Graph = Graph, OpsetImport = { new OperatorSetProto { Domain = "", Version = opset } } };
        byte[] domain = unknown ? [4 << 3 | 2, 5, .. "maker"u8] : [];
        return [.. domain, .. model.ToByteArray()];
    }

    public GraphMaker Input(string name, params int[] extents) => Value(Graph.Input, name, FloatType, extents);

    public GraphMaker Condition(string name) => Value(Graph.Input, name, BoolType);

    public GraphMaker Output(string name, params int[] extents) => Value(Graph.Output, name, FloatType, extents);

    /// <summary>An output of which neither type nor shape is told, as results of bodies.</summary>
    public GraphMaker Result(string name)
    {
        Graph.Output.Add(new ValueProto { Name = name });
        return this;
    }

    public GraphMaker Constant(string name, int[] extents, float scale = 1)
    {
        float[] values = new float[extents.Aggregate(1, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++) values[i] = scale * (float)(random.NextDouble() * 2 - 1);
        Graph.Initializer.Add(Tensors.Create(name, extents, values));
        return this;
    }

    public GraphMaker Constant(string name, int[] extents, float[] values)
    {
        Graph.Initializer.Add(Tensors.Create(name, extents, values));
        return this;
    }

    /// <summary>A constant of 32-bit integers, the type of lengths.</summary>
    public GraphMaker ShortIntegers(string name, int[] values)
    {
        byte[] bytes = MemoryMarshal.AsBytes<int>(values).ToArray();
        Graph.Initializer.Add(new TensorProto { Name = name, DataType = IntType, Dims = { values.Length }, RawData = ByteString.CopyFrom(bytes) });
        return this;
    }

    public GraphMaker Integers(string name, params long[] values)
    {
        Graph.Initializer.Add(Tensors.Create(name, [values.Length], values));
        return this;
    }

    public GraphMaker Node(string type, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        Graph.Node.Add(new NodeProto { OpType = type, Name = outputs[0] + "_" + type, Input = { inputs }, Output = { outputs }, Attribute = { attributes } });
        return this;
    }

    /// <summary>A recurrent node that reads <paramref name="x"/> and gives NAME_y (and what else is asked for).</summary>
    public GraphMaker Recurrent(
        string type, string name, string x, int inputs, int hidden, int directions = 1, string[]? states = null, string[]? outputs = null, bool resetsBefore = false, float? clip = null)
    {
        int gates = type switch { "LSTM" => 4, "GRU" => 3, _ => 1 };
        float scale = 1.5f / MathF.Sqrt(hidden);
        Constant($"{name}_w", [directions, gates * hidden, inputs], 1).Constant($"{name}_r", [directions, gates * hidden, hidden], scale);
        Constant($"{name}_b", [directions, 2 * gates * hidden], 0.3f);
        List<AttributeProto> attributes = [Attributes.Create("hidden_size", hidden), Attributes.Create("direction", directions == 2 ? "bidirectional" : "forward")];
        if (type == "GRU") attributes.Add(Attributes.Create("linear_before_reset", resetsBefore ? 0 : 1));
        if (clip is { } most) attributes.Add(new AttributeProto { Name = "clip", Type = 1, F = most });
        return Node(type, [x, $"{name}_w", $"{name}_r", $"{name}_b", "", .. states ?? []], outputs ?? [$"{name}_y"], [.. attributes]);
    }

    // The type of a value is no field of the schema here; it is merged in as an unknown one.
    private GraphMaker Value(ICollection<ValueProto> values, string name, int type, params int[] extents)
    {
        using MemoryStream shape = new();
        CodedOutputStream shapeOut = new(shape);
        foreach (int extent in extents)
        {
            using MemoryStream dim = new();
            CodedOutputStream dimOut = new(dim);
            if (extent > 0)
            {
                dimOut.WriteTag(1, WireFormat.WireType.Varint);
                dimOut.WriteInt64(extent);
            }

            dimOut.Flush();
            shapeOut.WriteTag(1, WireFormat.WireType.LengthDelimited);
            shapeOut.WriteBytes(ByteString.CopyFrom(dim.ToArray()));
        }

        shapeOut.Flush();
        byte[] tensor = Message((1, type), (2, shape.ToArray()));
        byte[] whole = Message((1, System.Text.Encoding.UTF8.GetBytes(name)), (2, Message((1, tensor))));
        values.Add(ValueProto.Parser.ParseFrom(whole));
        return this;
    }

    private static byte[] Message(params (int Field, object Value)[] fields)
    {
        using MemoryStream stream = new();
        CodedOutputStream output = new(stream);
        foreach ((int field, object value) in fields)
        {
            if (value is int number)
            {
                output.WriteTag(field, WireFormat.WireType.Varint);
                output.WriteInt32(number);
            }
            else
            {
                output.WriteTag(field, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(ByteString.CopyFrom((byte[])value));
            }
        }

        output.Flush();
        return stream.ToArray();
    }

    /// <summary>The type of integers, for graphs with such inputs.</summary>
    public GraphMaker IntegerInput(string name, params int[] extents) => Value(Graph.Input, name, LongType, extents);
}
