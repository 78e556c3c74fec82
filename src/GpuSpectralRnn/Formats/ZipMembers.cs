using System.IO.Compression;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// The members of a zip, unpacked one by one in memory: no more than <see cref="UnpackedSize"/> allows for all together, memory only for what is really
/// there, and each compared with its checksum.
/// </summary>
public sealed class ZipMembers : IDisposable
{
    private readonly string path;
    private readonly ZipArchive archive;
    private readonly Dictionary<string, ZipArchiveEntry> entries = [];
    private long left; // bytes that may still be unpacked

    /// <summary>Reads the directory.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="stream">Its content, seekable.</param>
    /// <exception cref="BrokenFileException">It is no zip, or names a member twice.</exception>
    public ZipMembers(string path, Stream stream)
    {
        (this.path, left) = (path, UnpackedSize.Bound(stream.Length));
        archive = Guard(() => new ZipArchive(stream, ZipArchiveMode.Read));
        foreach (ZipArchiveEntry entry in Guard(() => archive.Entries))
        {
            if (!entries.TryAdd(entry.FullName, entry)) throw new BrokenFileException(path, $"it holds {ForeignText.Show(entry.FullName)} twice.");
        }
    }

    /// <summary>The members' names.</summary>
    public IReadOnlyCollection<string> Names => entries.Keys;

    /// <summary>The content of a member.</summary>
    /// <exception cref="BrokenFileException">It is absent or damaged, or unpacks to an implausible size.</exception>
    public byte[] Read(string name)
    {
        string shown = ForeignText.Show(name);
        if (!entries.TryGetValue(name, out ZipArchiveEntry? entry)) throw new BrokenFileException(path, $"{shown} is not in it.");
        long length = Guard(() => entry.Length);
        if (length > left)
            throw new BrokenFileException(path, $"{shown} would unpack to {length:N0} bytes; at most {left:N0} are unpacked of this file. {UnpackedSize.Remedy}");
        left -= length;
        byte[] content = Guard(() =>
        {
            using Stream packed = entry.Open();
            byte[] all = InputFile.ReadClaimed(packed, length, path, shown);
            return packed.ReadByte() < 0 ? all : throw new InvalidDataException("more follows");
        });
        return Crc32.Compute(content) == entry.Crc32
            ? content
            : throw new BrokenFileException(path, $"{shown} is damaged: its checksum is another; get the file again.");
    }

    /// <inheritdoc/>
    public void Dispose() => archive.Dispose();

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or NotSupportedException or ArgumentException)
        {
            throw new BrokenFileException(path, "it is no zip archive, or a damaged one; get the file again.", e);
        }
    }
}
