using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Unused names for new values of a graph, or for new nodes.</summary>
/// <param name="used">The names that there are.</param>
internal sealed class FreshNames(IEnumerable<string> used)
{
    private readonly HashSet<string> taken = [.. used];
    private readonly Dictionary<string, int> numbers = []; // the last that was appended to a wish

    /// <summary>For values.</summary>
    public FreshNames(GraphProto graph)
        : this(GraphWalk.Names(graph))
    {
    }

    /// <summary><paramref name="wish"/>, with a number appended where it is used already.</summary>
    public string Of(string wish)
    {
        if (taken.Add(wish)) return wish;
        int number = numbers.GetValueOrDefault(wish, 1);
        string name;
        do name = $"{wish}_{++number}"; while (!taken.Add(name));
        numbers[wish] = number;
        return name;
    }
}
