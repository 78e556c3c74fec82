using System.Buffers.Binary;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

/// <summary>Sizes at which something changes: a chunk of a file, two bytes of a length, the longest text shown.</summary>
public sealed class BorderTests : IDisposable
{
    private const int Chunk = 1 << 20; // values that are read and written at a time

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(Chunk)]
    [InlineData(Chunk + 3)]
    public void Arrays_of_more_than_a_chunk_keep_every_value(int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = i;
        NpyFile.Write(folder.File("a.npy"), new Shape(count), values);
        SafetensorsFile.Write(folder.File("a.safetensors"), [NamedArray.Create("a", new Shape(count), values)]);

        Assert.Equal(values, NpyFile.Read(folder.File("a.npy")).As<float>());
        Assert.Equal(values, SafetensorsFile.Read(folder.File("a.safetensors")).Arrays[0].As<float>());
    }

    [Fact]
    public void An_NPY_header_may_take_more_than_a_byte_can_count()
    {
        Shape shape = new([.. Enumerable.Repeat(1, 80), 2]);
        NpyFile.Write(folder.File("a.npy"), shape, new float[] { 1, 2 });

        NamedArray read = NpyFile.Read(folder.File("a.npy"));

        Assert.Equal(shape, read.Shape);
        Assert.Equal([1f, 2], read.As<float>());
    }

    [Fact]
    public void Rows_after_the_last_that_came_are_zero()
    {
        NpyFile.Write(folder.File("a.npy"), new Shape(3, 2), put => put(0, [1, 2]));

        Assert.Equal([1f, 2, 0, 0, 0, 0], NpyFile.Read(folder.File("a.npy")).As<float>());
    }

    [Theory]
    [InlineData(1)] // one byte more than there are
    [InlineData(100_000_001)] // more than the format allows
    [InlineData(1L << 62)]
    public void A_safetensors_header_longer_than_its_file_is_told_apart_from_a_broken_one(long more)
    {
        byte[] file = [.. new byte[8], .. "{}      "u8];
        BinaryPrimitives.WriteInt64LittleEndian(file, file.Length - 8 + more);

        string message = Assert.Throws<BrokenFileException>(() => SafetensorsFile.Read(folder.Put("long", file))).Message;

        Assert.Contains($"the header length {file.Length - 8 + more}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_IDX_file_may_hold_nothing() =>
        Assert.Equal(new Shape(0, 2), IdxFile.Read(folder.Put("none", Convert.FromHexString("000008020000000000000002"))).Shape);

    // The first and the last of the characters that turn the direction of text, and their neighbours.
    [Theory]
    [InlineData("\u2029\u202A", "\u2029\\u202A")]
    [InlineData("\u202E\u202F", "\\u202E\u202F")]
    [InlineData("\u2065\u2066", "\u2065\\u2066")]
    [InlineData("\u2069\u206A", "\\u2069\u206A")]
    public void What_turns_the_direction_of_text_is_escaped(string text, string shown) => Assert.Equal(shown, ForeignText.Show(text));

    [Fact]
    public void Text_is_cut_where_it_is_too_long_and_only_there()
    {
        Assert.Equal(new string('x', 80), ForeignText.Show(new string('x', 80)));
        Assert.Equal(new string('x', 80) + "...", ForeignText.Show(new string('x', 81)));
    }
}
