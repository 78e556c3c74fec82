using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// Named arrays and string metadata in one file, format safetensors: an 8-byte little-endian length, that many bytes of JSON header, then the raw
/// little-endian data.
/// F32, F64, I64, I32 and U8 are kept as they are; F16 and BF16 are widened to float on reading.
/// </summary>
public sealed class SafetensorsFile
{
    private const string MetadataKey = "__metadata__";

    /// <summary>The format's own limit for the header, in bytes.</summary>
    private const long LongestHeader = 100_000_000;

    private readonly Dictionary<string, NamedArray> byName;

    private SafetensorsFile(string path, IReadOnlyList<NamedArray> arrays, IReadOnlyDictionary<string, string> metadata)
    {
        Path = path;
        Arrays = arrays;
        Metadata = metadata;
        byName = arrays.ToDictionary(a => a.Name);
    }

    /// <summary>Where it was read.</summary>
    public string Path { get; }

    /// <summary>The arrays in the header's order.</summary>
    public IReadOnlyList<NamedArray> Arrays { get; }

    /// <summary>The strings of <c>__metadata__</c>; empty without.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The array <paramref name="name"/>, or null.</summary>
    public NamedArray? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Writes the arrays in the given order, atomically. Equal arguments give equal bytes.</summary>
    /// <exception cref="ArgumentException">Two arrays share a name, or one is called <c>__metadata__</c>.</exception>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<NamedArray> arrays, IReadOnlyDictionary<string, string>? metadata = null)
    {
        HashSet<string> names = [MetadataKey];
        foreach (NamedArray array in arrays)
        {
            if (!names.Add(array.Name))
                throw new ArgumentException($"A safetensors file cannot hold two arrays called '{array.Name}'.", nameof(arrays));
        }

        // Widest elements first (stable), as the reference implementation lays them: every array is then aligned to its element size.
        NamedArray[] laid = [.. arrays.OrderByDescending(a => ElementSize(a.Values))];
        byte[] header = Header(arrays, laid, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (NamedArray array in laid) WriteValues(stream, array.Values);
        });
    }

    /// <summary>Reads and checks the whole file.</summary>
    /// <exception cref="InvalidCallException">The file does not exist or may not be read.</exception>
    /// <exception cref="BrokenFileException">The content is not a safetensors file, or holds element types other than those above.</exception>
    public static SafetensorsFile Read(string path)
    {
        using FileStream stream = InputFile.Open(path, "safetensors file");
        Span<byte> prefix = stackalloc byte[8];
        InputFile.ReadExactly(stream, prefix, path, "the header length");
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > LongestHeader || (long)headerLength > stream.Length - 8)
        {
            throw new BrokenFileException(
                path,
                $"the header length {headerLength} is more than the file ({stream.Length} bytes) or the format ({LongestHeader}) allows; "
                + "truncated, or not a safetensors file.");
        }

        byte[] header = new byte[headerLength];
        InputFile.ReadExactly(stream, header, path, "the header");
        long dataStart = 8 + (long)headerLength;
        SafetensorsHeader parsed = SafetensorsHeader.Parse(path, header, stream.Length - dataStart);
        NamedArray[] arrays = new NamedArray[parsed.Entries.Count];
        for (int i = 0; i < arrays.Length; i++)
        {
            SafetensorsHeader.Entry entry = parsed.Entries[i];
            stream.Position = dataStart + entry.Begin;
            arrays[i] = ReadArray(stream, path, entry);
        }

        return new SafetensorsFile(path, arrays, parsed.Metadata);
    }

    private static byte[] Header(IReadOnlyList<NamedArray> arrays, IReadOnlyList<NamedArray> laid, IReadOnlyDictionary<string, string>? metadata)
    {
        Dictionary<string, long> begins = [];
        long offset = 0;
        foreach (NamedArray array in laid)
        {
            begins.Add(array.Name, offset);
            offset += array.Values.LongLength * ElementSize(array.Values);
        }

        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }

            foreach (NamedArray array in arrays)
            {
                json.WriteStartObject(array.Name);
                json.WriteString("dtype", TypeName(array.Values));
                json.WriteStartArray("shape");
                foreach (int extent in array.Shape.ToArray()) json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begins[array.Name]);
                json.WriteNumberValue(begins[array.Name] + (array.Values.LongLength * ElementSize(array.Values)));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static string TypeName(Array values) => values switch
    {
        float[] => "F32",
        double[] => "F64",
        long[] => "I64",
        int[] => "I32",
        _ => "U8",
    };

    private static int ElementSize(Array values) => values switch
    {
        double[] or long[] => 8,
        byte[] => 1,
        _ => 4,
    };

    private static void WriteValues(Stream stream, Array values)
    {
        switch (values)
        {
            case float[] v: WriteChunks(stream, v); break;
            case double[] v: WriteChunks(stream, v); break;
            case long[] v: WriteChunks(stream, v); break;
            case int[] v: WriteChunks(stream, v); break;
            default: stream.Write((byte[])values); break;
        }
    }

    private static void WriteChunks<T>(Stream stream, T[] values)
        where T : unmanaged
    {
        // In chunks, as a span of bytes ends at 2 GB.
        const int chunk = 1 << 20;
        for (int i = 0; i < values.Length; i += chunk)
            stream.Write(MemoryMarshal.AsBytes(values.AsSpan(i, Math.Min(chunk, values.Length - i))));
    }

    private static NamedArray ReadArray(Stream stream, string path, SafetensorsHeader.Entry entry) => entry.Type switch
    {
        "F32" => NamedArray.Create(entry.Name, entry.Shape, ReadValues<float>(stream, path, entry)),
        "F64" => NamedArray.Create(entry.Name, entry.Shape, ReadValues<double>(stream, path, entry)),
        "I64" => NamedArray.Create(entry.Name, entry.Shape, ReadValues<long>(stream, path, entry)),
        "I32" => NamedArray.Create(entry.Name, entry.Shape, ReadValues<int>(stream, path, entry)),
        "U8" => NamedArray.Create(entry.Name, entry.Shape, ReadValues<byte>(stream, path, entry)),
        "F16" => NamedArray.Create(entry.Name, entry.Shape, Array.ConvertAll(ReadValues<Half>(stream, path, entry), h => (float)h)),
        _ => NamedArray.Create(entry.Name, entry.Shape, Array.ConvertAll(ReadValues<ushort>(stream, path, entry), WidenBrainFloat)),
    };

    /// <summary>BF16 is the upper half of a float.</summary>
    private static float WidenBrainFloat(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static T[] ReadValues<T>(Stream stream, string path, SafetensorsHeader.Entry entry)
        where T : unmanaged => InputFile.ReadValues<T>(stream, entry.Shape.Count, path, $"array '{entry.Name}'");
}
