using System.Buffers.Binary;
using System.IO.Compression;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// One array of unsigned bytes in the IDX format of the MNIST files, plain or gzip-compressed (told by the content, not by the name): two zero bytes,
/// the element type, the number of
/// dimensions, the extents (32-bit big-endian), the data.
/// </summary>
public static class IdxFile
{
    private const byte UnsignedByte = 0x08;

    /// <summary>Reads the array.</summary>
    /// <exception cref="InvalidCallException">The file does not exist or may not be read.</exception>
    /// <exception cref="BrokenFileException">The content is not an IDX file of unsigned bytes, or truncated, or corrupt.</exception>
    public static NamedArray Read(string path)
    {
        using FileStream file = InputFile.Open(path, "IDX file");
        if (!PackedFile.IsPacked(file)) return ReadArray(file, path, file.Length);
        using GZipStream unpacked = new(file, CompressionMode.Decompress);
        NamedArray array = ReadArray(unpacked, path, UnpackedSize.Bound(file.Length));
        CheckTrailer(file, path, array);
        return array;
    }

    private static void CheckTrailer(FileStream file, string path, NamedArray array)
    {
        IEnumerable<byte> extents = array.Shape.ToArray().SelectMany(extent => BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(extent)));
        byte[] header = [0, 0, UnsignedByte, (byte)array.Shape.Rank, .. extents];
        byte[] values = array.As<byte>();
        GzipTrailer.Check(file, path, Crc32.Compute(values, Crc32.Compute(header)), header.Length + values.LongLength);
    }

    private static NamedArray ReadArray(Stream stream, string path, long mostBytes)
    {
        Span<byte> magic = stackalloc byte[4];
        InputFile.ReadExactly(stream, magic, path, "the magic number");
        if (magic[0] != 0 || magic[1] != 0)
            throw new BrokenFileException(path, $"the magic number {Convert.ToHexString(magic)} does not begin with 0000; not an IDX file.");
        if (magic[2] != UnsignedByte)
            throw new BrokenFileException(path, $"the element type is 0x{magic[2]:X2}; IDX files of unsigned bytes (0x08) are read.");
        int rank = magic[3];
        if (rank == 0) throw new BrokenFileException(path, "the array has no dimensions.");
        int[] extents = new int[rank];
        Span<byte> extent = stackalloc byte[4];
        long count = 1;
        for (int i = 0; i < rank; i++)
        {
            InputFile.ReadExactly(stream, extent, path, $"extent {i} of {rank}");
            extents[i] = BinaryPrimitives.ReadInt32BigEndian(extent);
            if (extents[i] < 0) throw new BrokenFileException(path, $"extent {i} is {(uint)extents[i]}.");
            count *= extents[i];
            if (count > Math.Min(mostBytes, Array.MaxLength))
                throw new BrokenFileException(
                    path,
                    $"the file is truncated: extents [{string.Join(", ", extents[..(i + 1)])}] promise more than it can hold{(stream is GZipStream ? "; if it is sound, unpack it with gunzip" : "")}.");
        }

        byte[] values = InputFile.ReadClaimed(stream, count, path, "the data");
        if (!AtEnd(stream, path)) throw new BrokenFileException(path, $"bytes follow the {count} of the array.");
        return NamedArray.Create(path, new Shape(extents), values);
    }

    private static bool AtEnd(Stream stream, string path)
    {
        try
        {
            return stream.ReadByte() < 0;
        }
        catch (InvalidDataException e)
        {
            throw InputFile.Corrupt(path, e); // the checksum stands at the end
        }
    }
}
