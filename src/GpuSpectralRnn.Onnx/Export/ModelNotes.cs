using System.Text.Json;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>
/// What a graph's own fields cannot say, for its metadata: the architecture, how tokens and data are written, which weights were taken away.
/// </summary>
internal static class ModelNotes
{
    /// <summary>The metadata key of the task, by its written name.</summary>
    public const string Task = "gsrnn.task";

    /// <summary>The metadata key of the written tokens: a JSON array in the order of their numbers.</summary>
    public const string Vocabulary = "gsrnn.vocabulary";

    /// <summary>Keys and values, in a fixed order.</summary>
    public static IEnumerable<(string Key, string Value)> Of(Network network)
    {
        Architecture architecture = network.Architecture;
        yield return (ModelFile.ArchitectureKey, (architecture with { Tokens = null, Unit = null }).ToJson());
        yield return (Task, architecture.Task.Name());
        if (architecture.Tokens is { } tokens) yield return (Vocabulary, JsonSerializer.Serialize(tokens));
        if (architecture.Unit is { } unit) yield return ("gsrnn.unit", unit.Name());
        foreach ((string key, string value) in architecture.Data.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            yield return ($"gsrnn.data.{key}", value);
        if (architecture.RecurrentRank is { } ranks)
            yield return ("gsrnn.factored", $"recurrent matrices of rank {string.Join(", ", ranks)} (0: full), multiplied out");
        if (Masked(network) is { } masked) yield return ("gsrnn.masked", masked);
    }

    private static string? Masked(Network network)
    {
        List<string> parts = [];
        foreach (ParameterSlot slot in network.Parameters.Slots)
        {
            if (network.Parameters.MaskOf(slot.Name) is { } ones)
                parts.Add($"{ones.Count(one => one == 0)} of {ones.Length} weights of {slot.Name} are zero for good");
        }

        return parts.Count == 0 ? null : string.Join("; ", parts);
    }
}
