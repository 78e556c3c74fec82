using System.Buffers.Binary;
using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Arrays_are_found_by_name_and_asked_for_by_type()
    {
        NamedArray[] arrays = [NamedArray.Create("scalar", default, [7f]), NamedArray.Create("int", new Shape(5), new int[5])];
        SafetensorsFile.Write(folder.File("all.safetensors"), arrays);
        SafetensorsFile read = SafetensorsFile.Read(folder.File("all.safetensors"));

        Assert.Equal([7f], read.Find("scalar")!.As<float>());
        Assert.Null(read.Find("absent"));
        InvalidCallException wrongType = Assert.Throws<InvalidCallException>(() => read.Find("int")!.As<float>());
        Assert.Contains("int [5]", wrongType.Message, StringComparison.Ordinal);
    }

    // python3: import json,struct
    //   h=json.dumps({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}},separators=(",",":")).encode()
    //   h+=b" "*(-len(h)%8); print((struct.pack("<Q",len(h))+h+struct.pack("<2f",1,-2)).hex())
    private const string Golden =
        "58000000000000007b225f5f6d657461646174615f5f223a7b226b223a2276227d2c2261223a7b226474797065223a22463332222c227368617065223a5b312c325d2c22"
        + "646174615f6f666673657473223a5b302c385d7d7d202020202020200000803f000000c0";

    [Fact]
    public void The_bytes_are_the_formats_and_equal_each_time()
    {
        string path = folder.File("golden.safetensors");
        for (int run = 0; run < 2; run++)
        {
            SafetensorsFile.Write(path, [NamedArray.Create("a", new Shape(1, 2), [1f, -2f])], new Dictionary<string, string> { ["k"] = "v" });
            Assert.Equal(Golden, Convert.ToHexStringLower(File.ReadAllBytes(path)));
        }

        Assert.Equal(["golden.safetensors"], folder.Names());
    }

    [Fact]
    public void Half_precisions_are_widened()
    {
        // python3: import numpy; numpy.array([1.5,-65504,6e-8],"<f2").tobytes().hex() -> 003efffb0100 (6e-8 rounds to the smallest subnormal, 2^-24).
        string half = folder.Put("half.safetensors", Build("{\"h\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]}}", Convert.FromHexString("003efffb0100")));
        Assert.Equal([1.5f, -65504f, MathF.Pow(2, -24)], SafetensorsFile.Read(half).Find("h")!.As<float>());

        // The upper halves of 1.5f (3FC00000) and -2f (C0000000).
        string brain = folder.Put("brain.safetensors", Build("{\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", Convert.FromHexString("c03f00c0")));
        Assert.Equal([1.5f, -2f], SafetensorsFile.Read(brain).Find("b")!.As<float>());
    }

    [Theory]
    [InlineData("[]", "no JSON object")]
    [InlineData("{\"a\":", "no valid JSON")]
    [InlineData("{\"a\":1}", "'a' lacks")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "'a' lacks")]
    [InlineData("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", "F8_E4M3")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "needs 12 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "extent -2")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", "extent \"2\"")]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[2147483647,2147483647,9],\"data_offsets\":[0,8]}}", "larger than")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "data_offsets [8,0]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", "data_offsets [-8,0]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", "truncated")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "hole")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "overlaps")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "twice")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "4 bytes follow")]
    [InlineData("{\"__metadata__\":{\"k\":1},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "__metadata__ 'k'")]
    [InlineData("{\"__metadata__\":3,\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "__metadata__ is not")]
    public void A_corrupt_header_is_named(string header, string part)
    {
        string path = folder.Put("corrupt.safetensors", Build(header, new byte[8]));
        Assert.Contains(part, Assert.Throws<BrokenFileException>(() => SafetensorsFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_UTF8_is_refused()
    {
        byte[] bytes = Convert.FromHexString(Golden);
        bytes[Convert.FromHexString(Golden).AsSpan().IndexOf("\"a\""u8) + 1] = 0xFF;
        string path = folder.Put("utf8.safetensors", bytes);
        Assert.Throws<BrokenFileException>(() => SafetensorsFile.Read(path));
    }

    [Fact]
    public void Wrong_calls_are_refused()
    {
        NamedArray a = NamedArray.Create("a", new Shape(1), [1f]);
        string path = folder.File("never.safetensors");
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(path, [a, a]));
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(path, [NamedArray.Create("__metadata__", new Shape(1), [1f])]));
        Assert.Throws<ArgumentException>(() => NamedArray.Create("a", new Shape(2), [1f]));
        Assert.Throws<ArgumentException>(() => NamedArray.Create("a", new Shape(1), [(short)1]));
        Assert.Throws<ArgumentException>(() => NamedArray.Create("a", new Shape(1), [1u])); // though the runtime takes a uint[] for an int[]
        Assert.Throws<InvalidCallException>(() => SafetensorsFile.Read(path));
        Assert.Throws<InvalidCallException>(() => SafetensorsFile.Read(Path.GetDirectoryName(path)!));
        Assert.Throws<RunFailedException>(() => SafetensorsFile.Write(Path.Combine(path, "no", "folder"), [a]));
        Assert.Empty(folder.Names());
    }

    private static byte[] Build(string header, byte[] data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        return [.. length, .. text, .. data];
    }
}
