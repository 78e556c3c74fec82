using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Signals.Speech;

/// <summary>Where recordings lie: a folder, a tar archive (plain or gzip-compressed), or one file.</summary>
internal abstract class RecordingStore
{
    private static readonly string[] Archives = [".tar", ".tar.gz", ".tgz"];

    /// <summary>The files' names, relative, with slashes, in ordinal order.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>Reads files, in ordinal order (of an archive: in its own).</summary>
    /// <param name="wants">Which ones.</param>
    /// <param name="take">Called with the name and the content of each.</param>
    public abstract void Read(Func<string, bool> wants, Action<string, byte[]> take);

    /// <summary>SHA-256 of names and contents.</summary>
    public abstract byte[] ComputeHash();

    /// <summary>Where a file lies, for messages.</summary>
    public abstract string Locate(string name);

    /// <summary>Opens a path; a folder that holds nothing but one archive stands for the archive.</summary>
    /// <exception cref="InvalidCallException">It does not exist or may not be read.</exception>
    /// <exception cref="BrokenFileException">It is a damaged or dangerous archive.</exception>
    public static RecordingStore Open(string path)
    {
        if (!Directory.Exists(path)) return IsArchive(path) ? new Archive(path) : new SingleFile(path);
        string[] files = [.. Directory.EnumerateFileSystemEntries(path).Take(2)];
        return files.Length == 1 && IsArchive(files[0]) ? new Archive(files[0]) : new Folder(path);
    }

    private static bool IsArchive(string path) => File.Exists(path) && Archives.Any(end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    private static byte[] ContentOf(string path)
    {
        using FileStream stream = InputFile.Open(path, "recording");
        if (stream.Length > Array.MaxLength) throw new BrokenFileException(path, $"{stream.Length:N0} bytes are too many for one recording.");
        byte[] content = new byte[stream.Length];
        try
        {
            stream.ReadExactly(content);
        }
        catch (IOException e)
        {
            throw new BrokenFileException(path, $"it cannot be read: {e.Message.TrimEnd('.')}.", e);
        }

        return content;
    }

    private static byte[] HashOf(string path)
    {
        using FileStream stream = InputFile.Open(path, "recording");
        return SHA256.HashData(stream);
    }

    private sealed class Folder : RecordingStore
    {
        private static readonly EnumerationOptions All = new() { RecurseSubdirectories = true, MaxRecursionDepth = 16, AttributesToSkip = default };

        private readonly string root;

        public Folder(string root)
        {
            this.root = root;
            try
            {
                Names =
                [
                    .. Directory.EnumerateFiles(root, "*", All)
                        .Select(file => Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal),
                ];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InvalidCallException($"The folder {root} cannot be read: {e.Message.TrimEnd('.')}. Name a readable one.", e);
            }
        }

        public override IReadOnlyList<string> Names { get; }

        public override void Read(Func<string, bool> wants, Action<string, byte[]> take)
        {
            foreach (string name in Names.Where(wants)) take(name, ContentOf(Path.Combine(root, name)));
        }

        public override string Locate(string name) => Path.Combine(root, name);

        public override byte[] ComputeHash()
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (string name in Names)
            {
                hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
                hash.AppendData(HashOf(Path.Combine(root, name)));
            }

            return hash.GetHashAndReset();
        }
    }

    private sealed class Archive : RecordingStore
    {
        private readonly string path;

        public Archive(string path)
        {
            this.path = path;
            List<string> names = [];
            TarMembers.Read(path, name =>
            {
                names.Add(name);
                return false;
            }, (_, _) => { });
            Names = [.. names.Order(StringComparer.Ordinal)];
        }

        public override IReadOnlyList<string> Names { get; }

        public override void Read(Func<string, bool> wants, Action<string, byte[]> take) => TarMembers.Read(path, wants, take);

        public override string Locate(string name) => $"{path}: {name}";

        public override byte[] ComputeHash() => HashOf(path);
    }

    private sealed class SingleFile(string path) : RecordingStore
    {
        public override IReadOnlyList<string> Names { get; } = [Path.GetFileName(path)];

        public override void Read(Func<string, bool> wants, Action<string, byte[]> take)
        {
            if (wants(Names[0])) take(Names[0], ContentOf(path));
        }

        public override string Locate(string name) => path;

        public override byte[] ComputeHash() => HashOf(path);
    }
}
