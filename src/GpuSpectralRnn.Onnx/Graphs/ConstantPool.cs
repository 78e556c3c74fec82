using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>
/// New constants of a graph. They are initializers of the main graph, visible in every body, without duplicates: equal nodes in two branches share
/// theirs.
/// </summary>
internal sealed class ConstantPool
{
    /// <summary>The IR version from which a constant need not be an input too.</summary>
    private const long LeastVersion = 4;

    private readonly GraphProto graph;
    private readonly FreshNames names;
    private readonly List<TensorProto> added = [];

    /// <summary>Adds to a graph.</summary>
    public ConstantPool(ModelProto model, FreshNames names)
    {
        (graph, this.names) = (model.Graph, names);
        model.IrVersion = Math.Max(LeastVersion, model.IrVersion);
    }

    /// <summary>The name of a float constant with these values; <paramref name="wish"/> where it is new.</summary>
    public string Of(string wish, ReadOnlySpan<int> extents, ReadOnlySpan<float> values) => Keep(wish, Tensors.Create(wish, extents, values));

    /// <summary>The name of an integer constant with these values; <paramref name="wish"/> where it is new.</summary>
    public string Of(string wish, ReadOnlySpan<int> extents, ReadOnlySpan<long> values) => Keep(wish, Tensors.Create(wish, extents, values));

    private string Keep(string wish, TensorProto tensor)
    {
        TensorProto? twin = added.Find(other =>
            other.DataType == tensor.DataType && other.Dims.SequenceEqual(tensor.Dims) && other.RawData.Span.SequenceEqual(tensor.RawData.Span));
        if (twin is not null) return twin.Name;
        tensor.Name = names.Of(wish);
        added.Add(tensor);
        graph.Initializer.Add(tensor);
        return tensor.Name;
    }
}
