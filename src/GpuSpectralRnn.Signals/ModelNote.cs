using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Signals;

/// <summary>What a model file keeps of how its data are prepared, as JSON.</summary>
internal static class ModelNote
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>As one line.</summary>
    public static string Write<T>(T note) => JsonSerializer.Serialize(note, Json);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="json">The line.</param>
    /// <param name="about">What it is about, for messages: "features".</param>
    /// <param name="isSound">Whether its parts fit each other.</param>
    /// <exception cref="RunFailedException">It is damaged.</exception>
    public static T Read<T>(string json, string about, Func<T, bool> isSound)
        where T : class
    {
        try
        {
            if (JsonSerializer.Deserialize<T>(json, Json) is { } read && isSound(read)) return read;
            throw new RunFailedException($"The model's note on its {about} contradicts itself; take another copy of the model.");
        }
        catch (JsonException e)
        {
            throw new RunFailedException($"The model's note on its {about} cannot be read: {JsonFault.Describe(e)}.", e);
        }
        catch (InvalidCallException e)
        {
            throw new RunFailedException($"The model's note on its {about} is damaged: {e.Message}", e);
        }
    }
}
