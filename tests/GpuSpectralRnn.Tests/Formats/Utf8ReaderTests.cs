using System.Text;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class Utf8ReaderTests
{
    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("Aé\u20AC\U0001F600\u0000z\n\n\rx")]
    public void Characters_come_back(string text) => Assert.Equal(text, Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_byte_order_mark_and_carriage_returns_before_line_feeds_are_passed_over() =>
        Assert.Equal("a\nb\r\r\n\rc\uFEFF", Read(Encoding.UTF8.GetBytes("\uFEFFa\r\nb\r\r\r\n\rc\uFEFF")));

    // The buffer holds 65,536 bytes: every character length and the pair of line ends is put across its border.
    [Theory]
    [InlineData("é")]
    [InlineData("\u20AC")]
    [InlineData("\U0001F600")]
    [InlineData("\r\n")]
    public void Nothing_breaks_at_the_border_of_the_buffer(string character)
    {
        for (int before = 65_530; before <= 65_540; before++)
        {
            string text = new string('x', before) + character + "y";

            Assert.Equal(text.Replace("\r\n", "\n"), Read(Encoding.UTF8.GetBytes(text)));
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0x80 }, 1, "0x80")] // a continuation on its own
    [InlineData(new byte[] { 0x61, 0x62, 0xC3 }, 2, "0xC3")] // cut off by the end
    [InlineData(new byte[] { 0xC0, 0xAF }, 0, "0xC0")] // overlong
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 }, 0, "0xED")] // half of a surrogate pair
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 }, 0, "0xF4")] // beyond U+10FFFF
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0x00 }, 0, "0xFF")] // UTF-16
    public void What_is_not_UTF8_is_refused_with_its_place(byte[] bytes, int offset, string shown)
    {
        BrokenFileException e = Assert.Throws<BrokenFileException>(() => Read(bytes));

        Assert.Contains($"{shown} at offset {offset} ", e.Message);
        Assert.Contains("some text", e.Message);
    }

    [Fact]
    public void Offsets_count_from_the_start_of_the_file()
    {
        byte[] bytes = [.. Enumerable.Repeat((byte)'x', 200_000), 0xFF];

        Assert.Contains("offset 200000 ", Assert.Throws<BrokenFileException>(() => Read(bytes)).Message);
    }

    // A stream may give fewer bytes than are asked for.
    [Fact]
    public void A_trickling_stream_is_read_to_its_end()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a€\r\n", 1000)));

        Assert.Equal(string.Concat(Enumerable.Repeat("a€\n", 1000)), Read(new Trickle(bytes)));
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("no/such.txt", Assert.Throws<InvalidCallException>(() => Utf8Reader.Open("no/such.txt")).Message);

    private static string Read(byte[] bytes) => Read(new MemoryStream(bytes));

    private static string Read(Stream stream)
    {
        using Utf8Reader reader = new(stream, "some text");
        StringBuilder text = new();
        while (reader.Next(out Rune character)) text.Append(character.ToString());
        return text.ToString();
    }

    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> destination) => base.Read(destination[..Math.Min(3, destination.Length)]);
    }
}
