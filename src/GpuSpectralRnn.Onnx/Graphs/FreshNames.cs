using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Unused names for new values of a graph.</summary>
internal sealed class FreshNames(GraphProto graph)
{
    private readonly HashSet<string> taken = [.. GraphWalk.Names(graph)];

    /// <summary><paramref name="wish"/>, with a number appended where it is used already.</summary>
    public string Of(string wish)
    {
        string name = wish;
        for (int i = 2; !taken.Add(name); i++) name = $"{wish}_{i}";
        return name;
    }
}
