using GpuSpectralRnn.Interchange;
using System.Text.Json;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>Metadata of an exported graph beyond ONNX's own fields: the architecture, the spelling of tokens, the data, the pruned weights.</summary>
internal static class ModelNotes
{
    // The tokens are a JSON array in the order of their numbers; all others are words.
    private const string Task = "gsrnn.task", Vocabulary = "gsrnn.vocabulary", Unit = "gsrnn.unit";

    /// <summary>Keys and values, in a fixed order.</summary>
    public static IEnumerable<(string Key, string Value)> Write(Network network)
    {
        Architecture architecture = network.Architecture;
        yield return (ModelFile.ArchitectureKey, (architecture with { Tokens = null, Unit = null }).ToJson());
        yield return (Task, architecture.Task.Name());
        if (architecture.Tokens is { } tokens) yield return (Vocabulary, JsonSerializer.Serialize(tokens));
        if (architecture.Unit is { } unit) yield return (Unit, unit.Name());
        foreach ((string key, string value) in architecture.Data.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            yield return ($"gsrnn.data.{key}", value);
        if (architecture.RecurrentRank is { } ranks)
            yield return ("gsrnn.factored", $"recurrent matrices of rank {string.Join(", ", ranks)} (0: full), multiplied out");
        if (Masked(network) is { } masked) yield return ("gsrnn.masked", masked);
    }

    /// <summary>The architecture in a graph's metadata; null where there is none, or it cannot be read.</summary>
    public static Architecture? Read(ModelProto model)
    {
        string? Find(string key) => model.MetadataProps.FirstOrDefault(property => property.Key == key)?.Value;
        if (Find(ModelFile.ArchitectureKey) is not { } text) return null;
        try
        {
            Architecture architecture = Architecture.FromJson(text);
            if (Find(Vocabulary) is not { } tokens) return architecture;
            architecture = architecture with
            {
                Tokens = JsonSerializer.Deserialize<string[]>(tokens),
                Unit = Find(Unit) is { } unit ? EnumNames.Parse<TextUnit>(unit, "unit") : null,
            };
            architecture.Validate();
            return architecture;
        }
        catch (Exception e) when (e is InvalidCallException or JsonException)
        {
            return null; // a file that somebody edited; the graph says enough
        }
    }

    private static string? Masked(Network network)
    {
        List<string> parts = [];
        foreach (ParameterSpec slot in network.Parameters.Slots)
        {
            if (network.Parameters.MaskOf(slot.Name) is { } ones)
                parts.Add($"{ones.Count(one => one == 0)} of {ones.Length} weights of {slot.Name} are zero for good");
        }

        return parts.Count == 0 ? null : string.Join("; ", parts);
    }
}
