using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Values that were visited. The branches of an If may use the same names, so a name counts for the graph that it stands in.</summary>
internal sealed class SeenValues
{
    // Graphs compare by all that they hold; which one it is will do.
    private readonly Dictionary<GraphProto, HashSet<string>> seen = new(ReferenceEqualityComparer.Instance);

    /// <summary>Notes a value; false where it was noted before.</summary>
    public bool Add(GraphProto graph, string value)
    {
        if (!seen.TryGetValue(graph, out HashSet<string>? values)) seen[graph] = values = [];
        return values.Add(value);
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => seen.Clear();
}
