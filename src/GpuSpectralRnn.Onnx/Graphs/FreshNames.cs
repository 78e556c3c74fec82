using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Unused names for new values of a graph.</summary>
internal sealed class FreshNames(GraphProto graph)
{
    private readonly HashSet<string> taken = [.. GraphWalk.Names(graph)];
    private readonly Dictionary<string, int> numbers = []; // the last that was appended to a wish

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
