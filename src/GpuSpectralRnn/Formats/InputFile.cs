using System.IO.Compression;
using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Formats;

/// <summary>Opens files to read, with the same errors for missing or unreadable files in every loader.</summary>
public static class InputFile
{
    /// <summary>Opens <paramref name="path"/> for sequential reading.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What the file should be, for the message: "image file", "model".</param>
    /// <exception cref="InvalidCallException">The file is missing, a folder, or may not be read.</exception>
    public static FileStream Open(string path, string what) => Open(path, what, 1 << 16, FileOptions.SequentialScan);

    /// <summary>Opens it to read parts anywhere, without a buffer of its own: a part goes where it is wanted.</summary>
    /// <exception cref="InvalidCallException">As <see cref="Open(string, string)"/>.</exception>
    internal static FileStream OpenForParts(string path, string what) => Open(path, what, 0, FileOptions.None);

    private static FileStream Open(string path, string what, int buffer, FileOptions options)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, buffer, options);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidCallException($"The {what} {path} does not exist; check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new InvalidCallException($"The {what} {path} cannot be read: {e.Message.TrimEnd('.')}. Name a readable file.", e);
        }
    }

    /// <summary>The whole content of a small file, of a gzip-compressed one (told by the content) what was packed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for the message.</param>
    /// <exception cref="InvalidCallException">It is missing, a folder, or may not be read.</exception>
    /// <exception cref="BrokenFileException">It cannot be unpacked, or unpacks to an implausible size.</exception>
    public static byte[] ReadUnpacked(string path, string what)
    {
        using FileStream file = Open(path, what);
        if (!PackedFile.IsPacked(file)) return ReadClaimed(file, file.Length, path, "the file");
        using GZipStream unpacking = new(file, CompressionMode.Decompress, leaveOpen: true);
        byte[] content = ReadToEnd(unpacking, UnpackedSize.Bound(file.Length), path);
        GzipTrailer.Check(file, path, Crc32.Compute(content), content.LongLength);
        return content;
    }

    /// <summary>Fills <paramref name="destination"/> or says where the file ends too early.</summary>
    /// <exception cref="BrokenFileException">Fewer bytes are left.</exception>
    internal static void ReadExactly(Stream stream, Span<byte> destination, string path, string part)
    {
        int got;
        try
        {
            got = stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw Corrupt(path, e);
        }
        catch (IOException e)
        {
            throw new BrokenFileException(path, $"{part} cannot be read: {e.Message}", e);
        }

        if (got < destination.Length)
            throw new BrokenFileException(path, $"the file is truncated: {part} takes {destination.Length} bytes, only {got} are left.");
    }

    /// <summary>Reads packed data to their end, which must come before <paramref name="most"/> bytes.</summary>
    private static byte[] ReadToEnd(Stream stream, long most, string path)
    {
        byte[] values = new byte[1 << 16];
        int got = 0;
        try
        {
            while (stream.Read(values, got, values.Length - got) is > 0 and var more)
            {
                got += more;
                if (got > most) throw new BrokenFileException(path, $"it unpacks to more than {most:N0} bytes. {UnpackedSize.Remedy}");
                if (got == values.Length) Array.Resize(ref values, (int)Math.Min(Array.MaxLength, 2L * got));
            }
        }
        catch (InvalidDataException e)
        {
            throw Corrupt(path, e);
        }
        catch (IOException e)
        {
            throw new BrokenFileException(path, $"it cannot be read: {e.Message}", e);
        }

        Array.Resize(ref values, got);
        return values;
    }

    /// <summary>
    /// Reads so many bytes as a header claims of packed data, whose size is not known before: memory grows with what comes, to less than four times it.
    /// </summary>
    /// <exception cref="BrokenFileException">Fewer are left, or more than an array holds are claimed.</exception>
    internal static byte[] ReadClaimed(Stream stream, long count, string path, string part)
    {
        if (count > Array.MaxLength) throw new BrokenFileException(path, $"{part} takes {count:N0} bytes; at most {Array.MaxLength:N0} are unpacked.");
        const int first = 1 << 20;
        byte[] values = [];
        while (values.Length < count)
        {
            int got = values.Length;
            Array.Resize(ref values, (int)Math.Min(count, Math.Max(first, 2L * got)));
            ReadExactly(stream, values.AsSpan(got), path, part);
        }

        return values;
    }

    /// <summary>Reads little-endian numbers, in chunks, as a span of bytes ends at 2 GB.</summary>
    /// <exception cref="BrokenFileException">Fewer are left.</exception>
    public static T[] ReadValues<T>(Stream stream, long count, string path, string part)
        where T : unmanaged
    {
        T[] values = new T[count];
        ReadValues(stream, values.AsSpan(), path, part);
        return values;
    }

    /// <summary>The same into memory that is there.</summary>
    /// <exception cref="BrokenFileException">Fewer are left.</exception>
    internal static void ReadValues<T>(Stream stream, Span<T> values, string path, string part)
        where T : unmanaged
    {
        const int chunk = 1 << 20;
        for (int i = 0; i < values.Length; i += chunk)
            ReadExactly(stream, MemoryMarshal.AsBytes(values.Slice(i, Math.Min(chunk, values.Length - i))), path, part);
    }

    /// <summary>
    /// The error for compressed data that cannot be unpacked. The runtime's message blames the compression method whatever the fault.
    /// </summary>
    internal static BrokenFileException Corrupt(string path, InvalidDataException fault) => new(
        path, "the compressed data are corrupt (a checksum or a length does not match, or bytes are damaged); get the file again.", fault);
}
