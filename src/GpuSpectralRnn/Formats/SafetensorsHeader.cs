using System.Text.Json;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// The checked JSON header of a safetensors file: every array lies inside the data, none overlaps another, and no byte is left over.
/// </summary>
internal sealed class SafetensorsHeader
{
    private SafetensorsHeader(IReadOnlyList<Entry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>The arrays in the header's order.</summary>
    public IReadOnlyList<Entry> Entries { get; }

    /// <summary>The strings of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Parses and checks <paramref name="header"/>, which <paramref name="dataLength"/> bytes of data follow.</summary>
    public static SafetensorsHeader Parse(string path, byte[] header, long dataLength)
    {
        if (header.Length == 0 || header[0] != '{') throw new BrokenFileException(path, "the header is no JSON object; not a safetensors file?");
        try
        {
            using JsonDocument document = JsonDocument.Parse(header);
            List<Entry> entries = [];
            HashSet<string> names = [];
            Dictionary<string, string> metadata = [];
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name)) throw new BrokenFileException(path, $"the header names '{property.Name}' twice.");
                if (property.Name == "__metadata__") ReadMetadata(path, property.Value, metadata);
                else entries.Add(ReadEntry(path, property));
            }

            CheckLayout(path, entries, dataLength);
            return new SafetensorsHeader(entries, metadata);
        }
        catch (JsonException e)
        {
            throw new BrokenFileException(
                path, $"the header is no valid JSON, from byte {e.BytePositionInLine} of its line {e.LineNumber + 1} on.", e);
        }
        catch (InvalidOperationException e)
        {
            throw new BrokenFileException(path, "a name or text in the header is no valid UTF-8.", e);
        }
    }

    private static void ReadMetadata(string path, JsonElement element, Dictionary<string, string> metadata)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new BrokenFileException(path, "__metadata__ is not an object of strings.");
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String || !metadata.TryAdd(property.Name, property.Value.GetString()!))
                throw new BrokenFileException(path, $"__metadata__ '{property.Name}' is not a string, or is there twice.");
        }
    }

    private static Entry ReadEntry(string path, JsonProperty property)
    {
        string name = property.Name;
        JsonElement value = property.Value;
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out JsonElement type) || type.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out JsonElement shape) || shape.ValueKind != JsonValueKind.Array
            || !value.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array)
        {
            throw new BrokenFileException(path, $"array '{name}' lacks one of dtype, shape and data_offsets.");
        }

        string typeName = type.GetString()!;
        int size = typeName switch
        {
            "F64" or "I64" => 8,
            "F32" or "I32" => 4,
            "F16" or "BF16" => 2,
            "U8" => 1,
            _ => throw new BrokenFileException(
                path, $"array '{name}' has element type {typeName}; this program reads F32, F64, F16, BF16, I32, I64 and U8. Convert it first."),
        };

        int[] extents = new int[shape.GetArrayLength()];
        long count = 1;
        for (int i = 0; i < extents.Length; i++)
        {
            if (shape[i].ValueKind != JsonValueKind.Number || !shape[i].TryGetInt32(out extents[i]) || extents[i] < 0)
                throw new BrokenFileException(path, $"array '{name}' has the extent {shape[i].GetRawText()} in its shape.");
            count *= extents[i];
            if (count > Array.MaxLength)
                throw new BrokenFileException(path, $"array '{name}' {shape.GetRawText()} is larger than {Array.MaxLength} elements.");
        }

        if (offsets.GetArrayLength() != 2
            || offsets[0].ValueKind != JsonValueKind.Number || !offsets[0].TryGetInt64(out long begin) || begin < 0
            || offsets[1].ValueKind != JsonValueKind.Number || !offsets[1].TryGetInt64(out long end) || end < begin)
        {
            throw new BrokenFileException(path, $"array '{name}' has the data_offsets {offsets.GetRawText()}.");
        }

        if (end - begin != count * size)
            throw new BrokenFileException(
                path, $"array '{name}' {typeName} {shape.GetRawText()} needs {count * size} bytes but its data_offsets span {end - begin}.");
        return new Entry(name, typeName, new Shape(extents), begin, end);
    }

    private static void CheckLayout(string path, List<Entry> entries, long dataLength)
    {
        long expected = 0;
        foreach (Entry entry in entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.End > dataLength)
                throw new BrokenFileException(path, $"the file is truncated: array '{entry.Name}' ends at data byte {entry.End} of {dataLength}.");
            if (entry.Begin != expected)
            {
                string fault = entry.Begin < expected ? "overlaps the array before it" : "leaves a hole before it";
                throw new BrokenFileException(path, $"array '{entry.Name}' begins at data byte {entry.Begin} instead of {expected}: it {fault}.");
            }

            expected = entry.End;
        }

        if (expected != dataLength) throw new BrokenFileException(path, $"{dataLength - expected} bytes follow the last array.");
    }

    /// <summary>One array: where its bytes lie, counted from the start of the data.</summary>
    internal readonly record struct Entry(string Name, string Type, Shape Shape, long Begin, long End);
}
