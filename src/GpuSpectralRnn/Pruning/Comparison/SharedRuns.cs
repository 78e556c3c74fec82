using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>A run of a comparison that several members share, and its place in the order of one alone.</summary>
/// <param name="Place">From 0.</param>
/// <param name="Run">The run.</param>
internal sealed record SharedRun(int Place, ComparisonRun Run)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // of networks that diverged
        Converters = { new RecipeConverter(), new KeepConverter() },
    };

    /// <summary>The runs of all members, in the order of one alone.</summary>
    public static List<SharedRun> Merge(IReplicas replicas, IReadOnlyList<SharedRun> own)
    {
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(own, Json);
        int[] lengths = replicas.Gather<int>([text.Length]);
        Array.Resize(ref text, lengths.Max());
        byte[] all = replicas.Gather<byte>(text);
        return [.. lengths.SelectMany((length, rank) => JsonSerializer.Deserialize<SharedRun[]>(all.AsSpan(rank * text.Length, length), Json)!)
            .OrderBy(run => run.Place)];
    }

    // Recipes are of many types, which their own JSON tells.
    private sealed class RecipeConverter : JsonConverter<Recipe>
    {
        public override Recipe Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Recipe.FromJson(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, Recipe value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToJson());
    }

    private sealed class KeepConverter : JsonConverter<KeepSize>
    {
        public override KeepSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => KeepSize.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, KeepSize value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
