using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Names for new values of a graph, none of which is in it.</summary>
internal sealed class FreshNames(GraphProto graph)
{
    private readonly HashSet<string> taken = [.. GraphWalk.Names(graph)];

    /// <summary>The wish itself, or with a number behind it.</summary>
    public string Of(string wish)
    {
        string name = wish;
        for (int i = 2; !taken.Add(name); i++) name = $"{wish}_{i}";
        return name;
    }
}
