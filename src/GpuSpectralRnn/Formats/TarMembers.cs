using System.Globalization;
using System.IO.Compression;

namespace GpuSpectralRnn.Formats;

/// <summary>
/// The files of a tar archive (ustar, pax, GNU), plain or gzip-compressed, which the content tells, one after the other in memory: nothing is written to
/// the disk. Archives that would be dangerous to unpack are refused: names that lead out of the folder, links, devices, and more than
/// <see cref="MostBytes"/> in all, which is counted while they are read. System.Formats.Tar takes as much memory as a damaged header claims, a gigabyte
/// for a few bytes; here memory grows with what comes.
/// </summary>
public static class TarMembers
{
    /// <summary>The most that an archive may unpack to: 4 GB.</summary>
    public const long MostBytes = 4L << 30;

    /// <summary>The most that a long name or the notes on a file may take.</summary>
    private const long MostNotes = 1 << 20;

    /// <summary>Hands over the content of all files that <paramref name="wants"/> names, in the archive's order.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="wants">Whether a file is read, by its name with slashes.</param>
    /// <param name="take">Called with the name and the content of each.</param>
    /// <param name="mostBytes">The most it may unpack to.</param>
    /// <exception cref="InvalidCallException">The archive is missing or may not be read.</exception>
    /// <exception cref="BrokenFileException">It is damaged, no tar archive, or one of those above.</exception>
    public static void Read(string path, Func<string, bool> wants, Action<string, byte[]> take, long mostBytes = MostBytes)
    {
        using FileStream file = InputFile.Open(path, "archive");
        using Stream packed = PackedFile.IsPacked(file) ? new GZipStream(file, CompressionMode.Decompress) : file;
        byte[] block = new byte[TarHeader.Block], passed = new byte[1 << 16];
        (string? longName, string? longSize) = (null, null);
        long read = 0;
        for (bool isEmpty = true; ; isEmpty = false)
        {
            Count(TarHeader.Block);
            InputFile.ReadExactly(packed, block, path, "a header");
            if (block.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            {
                if (isEmpty) throw new BrokenFileException(path, "it holds no files; not a tar archive?");
                return;
            }

            TarHeader header = TarHeader.Parse(block) ?? throw Damaged(path);
            if (header.Kind is 'x' or 'g' or 'L' or 'K')
            {
                if (header.Size > MostNotes) throw Damaged(path);
                byte[] note = Content(header.Size, "a note");
                if (header.Kind == 'L') longName = TarHeader.Text(note);
                if (header.Kind != 'x') continue;
                Dictionary<string, string> records = TarHeader.Records(note) ?? throw Damaged(path);
                longName = records.GetValueOrDefault("path", longName!);
                longSize = records.GetValueOrDefault("size");
                continue;
            }

            if (longName is not null) header = header with { Name = longName };
            if (longSize is not null)
            {
                bool isNumber = long.TryParse(longSize, NumberStyles.None, CultureInfo.InvariantCulture, out long size);
                header = header with { Size = isNumber ? size : throw Damaged(path) };
            }

            (longName, longSize) = (null, null);
            string name = Checked(path, header);
            if (header.Kind != '5' && wants(name)) take(name, Content(header.Size, ForeignText.Show(name)));
            else Pass(header.Size);
        }

        void Count(long more)
        {
            if (more > mostBytes - read)
                throw new BrokenFileException(path, $"it unpacks to more than {mostBytes:N0} bytes; unpack it yourself if it is sound, and name the folder.");
            read += more;
        }

        byte[] Content(long size, string part)
        {
            Count(size);
            byte[] content = InputFile.ReadClaimed(packed, size, path, part);
            InputFile.ReadExactly(packed, passed.AsSpan(0, Padding(size)), path, part);
            return content;
        }

        void Pass(long size)
        {
            Count(size);
            for (long left = size + Padding(size); left > 0; left -= passed.Length)
                InputFile.ReadExactly(packed, passed.AsSpan(0, (int)Math.Min(left, passed.Length)), path, "a file");
        }
    }

    private static int Padding(long size) => (int)((TarHeader.Block - (size % TarHeader.Block)) % TarHeader.Block);

    private static BrokenFileException Damaged(string path) => new(path, "it is no tar archive, or a damaged one; get the file again.");

    private static string Checked(string path, TarHeader header)
    {
        string name = header.Name.Replace('\\', '/'), shown = ForeignText.Show(header.Name);
        if (header.Kind is not ('0' or '\0' or '7' or '5'))
            throw new BrokenFileException(path, $"{shown} is no file but {Kind(header.Kind)}; pack the files themselves.");
        if (name.StartsWith('/') || (name.Length > 1 && name[1] == ':'))
            throw new BrokenFileException(path, $"{shown} is an absolute path; pack the files with paths inside their folder.");
        if (name.Split('/').Contains(".."))
            throw new BrokenFileException(path, $"{shown} leads out of the archive's folder; pack the files with paths inside it.");
        return name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
    }

    private static string Kind(char kind) => kind switch
    {
        '1' or '2' => "a link",
        '3' or '4' or '6' => "a device or a pipe",
        _ => "something else",
    };
}
