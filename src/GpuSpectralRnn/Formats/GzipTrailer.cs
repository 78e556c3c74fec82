using System.Buffers.Binary;

namespace GpuSpectralRnn.Formats;

/// <summary>The last eight bytes of a gzip file: checksum and length of what was packed (RFC 1952, section 2.3.1).</summary>
internal static class GzipTrailer
{
    /// <summary>
    /// Compares what was unpacked with the trailer. GZipStream does so where the trailer is whole, but takes data whose last eight bytes are cut off,
    /// or followed by others.
    /// </summary>
    /// <param name="file">The packed file.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="sum">CRC-32 of what was unpacked.</param>
    /// <param name="length">Its bytes.</param>
    /// <exception cref="BrokenFileException">They differ.</exception>
    public static void Check(Stream file, string path, uint sum, long length)
    {
        Span<byte> trailer = stackalloc byte[8];
        file.Position = Math.Max(0, file.Length - trailer.Length);
        InputFile.ReadExactly(file, trailer, path, "the checksum");
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) == sum && BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) == (uint)length) return;
        throw new BrokenFileException(
            path,
            "the compressed data are corrupt: they do not end with their checksum and length, but are cut off or followed by something else; "
            + "get the file again, or unpack it with gunzip.");
    }
}
