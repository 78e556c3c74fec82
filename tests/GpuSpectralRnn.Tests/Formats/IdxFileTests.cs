using System.IO.Compression;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class IdxFileTests : IDisposable
{
    // python3: import struct; (struct.pack(">HBB3I", 0, 8, 3, 2, 1, 3) + bytes([0, 1, 2, 253, 254, 255])).hex()
    private static readonly byte[] Golden = Convert.FromHexString("00000803000000020000000100000003000102fdfeff");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Plain_and_compressed_files_are_equal_whatever_their_names()
    {
        foreach (string path in new[] { folder.Put("plain.gz", Golden), folder.Put("packed", Pack(Golden)) })
        {
            NamedArray array = IdxFile.Read(path);
            Assert.Equal(new Shape(2, 1, 3), array.Shape);
            Assert.Equal(new byte[] { 0, 1, 2, 253, 254, 255 }, array.As<byte>());
        }
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] packed = Pack(Golden);
        foreach (byte[] whole in new[] { Golden, packed })
        {
            for (int length = 0; length < whole.Length; length++)
            {
                string path = folder.Put("cut", whole[..length]);
                Assert.Throws<BrokenFileException>(() => IdxFile.Read(path));
            }
        }
    }

    [Fact]
    public void Truncation_inside_a_compressed_header_is_refused()
    {
        for (int length = 0; length < Golden.Length; length++)
        {
            string path = folder.Put("cut.gz", Pack(Golden[..length]));
            Assert.Throws<BrokenFileException>(() => IdxFile.Read(path));
        }
    }

    [Theory]
    [InlineData("00000D0100000001000102FF", "0x0D")]
    [InlineData("0100080100000001FF", "magic")]
    [InlineData("00000800FF", "no dimensions")]
    [InlineData("0000080180000000FF", "2147483648")]
    [InlineData("000008017FFFFFFFFF", "truncated")]
    [InlineData("000008027FFFFFFF7FFFFFFFFF", "truncated")]
    [InlineData("0000080100000001FF00", "bytes follow")]
    public void A_corrupt_file_is_named(string hex, string part)
    {
        foreach (byte[] bytes in new[] { Convert.FromHexString(hex), Pack(Convert.FromHexString(hex)) })
        {
            string path = folder.Put("corrupt", bytes);
            Assert.Contains(part, Assert.Throws<BrokenFileException>(() => IdxFile.Read(path)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void A_wrong_checksum_or_length_is_corruption(int fromEnd)
    {
        byte[] packed = Pack(Golden);
        packed[^fromEnd] ^= 1;
        string path = folder.Put("sum.gz", packed);
        string message = Assert.Throws<BrokenFileException>(() => IdxFile.Read(path)).Message;
        Assert.Contains("corrupt", message);
        Assert.DoesNotContain("compression method", message);
    }

    [Fact]
    public void What_follows_compressed_data_is_corruption()
    {
        foreach (byte[] more in new byte[][] { [1], [.. "garbage"u8], new byte[512], Pack([7]) })
            Assert.Throws<BrokenFileException>(() => IdxFile.Read(folder.Put("more.gz", [.. Pack(Golden), .. more])));
    }

    [Fact]
    public void A_missing_file_is_a_wrong_call() => Assert.Throws<InvalidCallException>(() => IdxFile.Read(folder.File("absent")));

    internal static byte[] Pack(byte[] content)
    {
        using MemoryStream packed = new();
        using (GZipStream zip = new(packed, CompressionLevel.Optimal)) zip.Write(content);
        return packed.ToArray();
    }
}
