using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CsCheck;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Tests.Formats;

/// <summary>Arrays of any shape, type and bits: what is written is read again, whole files only, and headers are read as they are meant.</summary>
public sealed class RoundTripTests : IDisposable
{
    private const string Safetensors = "f.safetensors", Npy = "f.npy";

    private static readonly string[] Types = ["F32", "F64", "I32", "I64", "U8"];

    // The second kind makes long headers.
    private static readonly Gen<int[]> Extents = Gen.OneOf(Gen.Int[0, 4].Array[0, 5], Gen.Int[1, 1].Array[6, 28]);

    // Names and metadata of any characters, surrogates in pairs: what UTF-8 can hold.
    private static readonly Gen<string> Text =
        Gen.Int[0, 0x10FFFF].Where(Rune.IsValid).Array[0, 6].Select(runes => string.Concat(runes.Select(rune => new Rune(rune))));

    private static readonly Gen<NamedArray[]> Arrays =
        Gen.Select(Text.Where(name => name != "__metadata__"), Extents, Gen.OneOf(Types), Gen.Int).Select(Make).Array[0, 6]
            .Where(arrays => arrays.DistinctBy(array => array.Name).Count() == arrays.Length);

    private static readonly Gen<Dictionary<string, string>> Metadata =
        Gen.Select(Text, Text).Array[0, 3].Select(pairs => pairs.DistinctBy(pair => pair.Item1).ToDictionary(pair => pair.Item1, pair => pair.Item2));

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Safetensors_keep_order_types_bits_and_metadata() => Gen.Select(Arrays, Metadata).Sample(
        (arrays, metadata) =>
        {
            SafetensorsFile.Write(folder.File(Safetensors), arrays, metadata);
            SafetensorsFile read = SafetensorsFile.Read(folder.File(Safetensors));

            Assert.Equal(arrays.Select(array => array.ToString()), read.Arrays.Select(array => array.ToString()));
            Assert.Equal(arrays.Select(Bits), read.Arrays.Select(Bits));
            Assert.Equal(metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal), read.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal));
            CheckAlignment(File.ReadAllBytes(folder.File(Safetensors)));
        },
        iter: 150,
        threads: 1);

    [Fact]
    public void Npy_keeps_shape_and_bits() => Gen.Select(Extents, Gen.Int).Sample(
        (extents, seed) =>
        {
            NamedArray array = Make("a", extents, "F32", seed);
            NpyFile.Write(folder.File(Npy), new Shape(extents), array.As<float>());
            NamedArray read = NpyFile.Read(folder.File(Npy));

            Assert.Equal(new Shape(extents), read.Shape);
            Assert.Equal(Bits(array), Bits(read));
            Assert.Equal(0, (new FileInfo(folder.File(Npy)).Length - 4 * array.Shape.Count) % 64);
        },
        iter: 150,
        threads: 1);

    // A part of a file, or more than it, is no file.
    [Fact]
    public void Every_other_length_is_refused() => Gen.Select(Arrays, Gen.Int[0, int.MaxValue], Gen.Bool).Sample(
        (arrays, cut, isLonger) =>
        {
            SafetensorsFile.Write(folder.File(Safetensors), arrays);
            Check(Safetensors, SafetensorsFile.Read);
            float[] values = new float[arrays.Length];
            NpyFile.Write(folder.File(Npy), new Shape(values.Length), values);
            Check(Npy, NpyFile.Read);

            void Check<T>(string name, Func<string, T> read)
            {
                byte[] whole = File.ReadAllBytes(folder.File(name));
                string path = folder.Put("other", isLonger ? [.. whole, 0] : whole[..(cut % whole.Length)]);
                BrokenFileException refused = Assert.Throws<BrokenFileException>(() => read(path));
                Assert.Equal(path, refused.Path);
                if (isLonger) Assert.Contains("1 bytes follow", refused.Message, StringComparison.Ordinal);
            }
        },
        iter: 150,
        threads: 1);

    // Keys in any order, quotes of either kind, white space wherever it may be, a comma at the end or none: as Python 2 and 3 and others write.
    [Fact]
    public void Npy_headers_of_all_writers_are_read() => Gen.Select(
            Gen.Int[1, 3],
            Gen.Shuffle<string>((string[])["descr", "fortran_order", "shape"]),
            Extents,
            Gen.OneOf("'", "\"", "u'"),
            Gen.OneOf("", " ", "  "),
            Gen.Bool,
            Gen.Bool)
        .Sample(
            (version, keys, extents, quote, space, hasComma, isLong) =>
            {
                string[] numbers = [.. extents.Select(extent => $"{extent}{(isLong ? "L" : "")}")];
                string shape = numbers.Length == 1 ? $"({numbers[0]},)" : $"({string.Join($",{space}", numbers)})";
                string Quoted(string word) => quote + word + quote[^1];
                string Value(string key) => key switch { "descr" => Quoted("|u1"), "fortran_order" => "False", _ => shape };
                string pairs = string.Join($",{space}", keys.Select(key => $"{Quoted(key)}{space}:{space}{Value(key)}"));
                string header = $"{space}{{{pairs}{space}{(hasComma ? "," : "")}{space}}}{space}\n";
                byte[] data = [.. Enumerable.Range(0, (int)new Shape(extents).Count).Select(i => (byte)i)];

                NamedArray array = NpyFile.Read(folder.Put(Npy, NpyFileTests.Build(version, header, data)));

                Assert.Equal(new Shape(extents), array.Shape);
                Assert.Equal(data, array.As<byte>());
            },
            iter: 150,
            threads: 1);

    private static NamedArray Make(string name, int[] extents, string type, int seed)
    {
        Shape shape = new(extents);
        T[] Drawn<T>()
            where T : unmanaged
        {
            T[] values = new T[shape.Count];
            new Random(seed).NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }

        return type switch
        {
            "F32" => NamedArray.Create(name, shape, Drawn<float>()),
            "F64" => NamedArray.Create(name, shape, Drawn<double>()),
            "I32" => NamedArray.Create(name, shape, Drawn<int>()),
            "I64" => NamedArray.Create(name, shape, Drawn<long>()),
            _ => NamedArray.Create(name, shape, Drawn<byte>()),
        };
    }

    private static byte[] Bits(NamedArray array)
    {
        byte[] bits = new byte[Buffer.ByteLength(array.Values)];
        Buffer.BlockCopy(array.Values, 0, bits, 0, bits.Length);
        return bits;
    }

    // The header ends at a multiple of eight, and every array starts at a multiple of its elements' size.
    private static void CheckAlignment(byte[] file)
    {
        long length = BinaryPrimitives.ReadInt64LittleEndian(file);
        Assert.Equal(0, length % 8);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, (int)length));
        foreach (JsonProperty property in header.RootElement.EnumerateObject().Where(property => property.Name != "__metadata__"))
        {
            int size = property.Value.GetProperty("dtype").GetString()! switch { "F64" or "I64" => 8, "U8" => 1, _ => 4 };
            Assert.Equal(0, property.Value.GetProperty("data_offsets")[0].GetInt64() % size);
        }
    }
}
