using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class NpyFileTests : IDisposable
{
    // python3: import numpy; numpy.save("a.npy", numpy.array([[1.5,-2],[0,3]],"<f4")): these bytes, 58 spaces between '}' and the line feed.
    private static readonly byte[] Golden =
    [
        .. Convert.FromHexString("934e554d505901007600"), .. Encoding.Latin1.GetBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"), .. Spaces(58), 0x0A,
        .. Convert.FromHexString("0000c03f000000c00000000000004040"),
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_bytes_are_those_of_NumPy()
    {
        Assert.Equal(144, Golden.Length);
        NamedArray read = NpyFile.Read(folder.Put("a.npy", Golden));
        Assert.Equal(new Shape(2, 2), read.Shape);
        Assert.Equal([1.5f, -2f, 0f, 3f], read.As<float>());

        string written = folder.File("b.npy");
        NpyFile.Write(written, new Shape(2, 2), new[] { 1.5f, -2f, 0f, 3f });
        Assert.Equal(Golden, File.ReadAllBytes(written));
    }

    [Fact]
    public void Rows_come_in_any_order_and_are_zero_where_they_never_come()
    {
        string path = folder.File("rows.npy");
        NpyFile.Write(path, new Shape(3, 2, 1), write =>
        {
            write(2, [5f, 6f]);
            write(0, [1f, 2f]);
        });
        NamedArray read = NpyFile.Read(path);

        Assert.Equal(new Shape(3, 2, 1), read.Shape);
        Assert.Equal([1f, 2f, 0f, 0f, 5f, 6f], read.As<float>());
        Assert.Throws<ArgumentOutOfRangeException>(() => NpyFile.Write(path, new Shape(3, 2), write => write(0, [1f])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void All_versions_and_types_are_read(int version)
    {
        Assert.Equal([0.1, -1], Read(version, "<f8", [.. BitConverter.GetBytes(0.1), .. BitConverter.GetBytes(-1.0)]).As<double>());
        Assert.Equal([7, -1], Read(version, "<i4", Convert.FromHexString("07000000ffffffff")).As<int>());
        Assert.Equal([7, -1], Read(version, "<i8", Convert.FromHexString("0700000000000000ffffffffffffffff")).As<long>());
        Assert.Equal(new byte[] { 3, 255 }, Read(version, "|u1", [3, 255]).As<byte>());
    }

    [Theory]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", "is not descr")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (a,), }", "extent 'a'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999,), }", "extent '99999999999'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (2147483647, 2147483647), }", "larger than")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, }", "is not descr")]
    [InlineData("{'descr': '|u1', 'descr': '|u1', 'shape': (1,), }", "is not descr")]
    [InlineData("{'descr': '|u1', 'fortran_order': Maybe, 'shape': (1,), }", "is not descr")]
    [InlineData("", "is not descr")]
    public void A_corrupt_header_is_named(string header, string part)
    {
        string path = folder.Put("corrupt.npy", Build(1, header, [1]));
        Assert.Contains(part, Assert.Throws<BrokenFileException>(() => NpyFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_archive_is_refused_with_what_to_do() => Assert.Contains(
        "numpy.save", Assert.Throws<InvalidCallException>(() => NpyFile.Read(folder.Put("a.npz", [.. "PK\x03\x04"u8, .. new byte[40]]))).Message);

    [Theory]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "astype")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "`lengthsPath`")]
    [InlineData("{'descr': '<U5', 'fortran_order': False, 'shape': (1,), }", "numpy.unique")]
    [InlineData("{'descr': '|S5', 'fortran_order': False, 'shape': (1,), }", "numpy.unique")]
    [InlineData("{'descr': '|V2', 'fortran_order': False, 'shape': (1,), }", "where they were made")]
    [InlineData("{\"descr\": [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "records")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "records")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }", "ascontiguousarray")]
    public void What_is_not_read_says_how_to_convert(string header, string part)
    {
        string path = folder.Put("other.npy", Build(1, header, [0, 0, 0, 0]));
        Assert.Contains(part, Assert.Throws<InvalidCallException>(() => NpyFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_start_is_named()
    {
        byte[] bytes = [.. Golden];
        bytes[6] = 4;
        Assert.Contains("version 4", Assert.Throws<BrokenFileException>(() => NpyFile.Read(folder.Put("v.npy", bytes))).Message, StringComparison.Ordinal);
        bytes[1] = (byte)'n';
        Assert.Contains("magic", Assert.Throws<BrokenFileException>(() => NpyFile.Read(folder.Put("m.npy", bytes))).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidCallException>(() => NpyFile.Read(folder.File("absent.npy")));
        Assert.Throws<ArgumentException>(() => NpyFile.Write(folder.File("w.npy"), new Shape(2), new float[3]));
    }

    /// <summary>An NPY file of the given header text and data.</summary>
    internal static byte[] Build(int version, string header, byte[] data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] length = BitConverter.GetBytes(text.Length)[..(version == 1 ? 2 : 4)];
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. data];
    }

    private NamedArray Read(int version, string type, byte[] data) =>
        NpyFile.Read(folder.Put("t.npy", Build(version, $"{{'descr': '{type}', 'fortran_order': False, 'shape': (2,), }}   \n", data)));

    private static byte[] Spaces(int count) => [.. Enumerable.Repeat((byte)' ', count)];
}
