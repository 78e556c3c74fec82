using System.IO.Compression;

namespace GpuSpectralRnn.Formats;

/// <summary>Opens files that may be gzip-compressed, which their content tells, not their name.</summary>
internal static class PackedFile
{
    /// <summary>Whether a file that stands at its start is compressed; it stands there afterwards too.</summary>
    public static bool IsPacked(Stream file)
    {
        bool isPacked = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        return isPacked;
    }

    /// <summary>What a file holds, unpacked.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for the message.</param>
    /// <exception cref="InvalidCallException">The file is missing or may not be read.</exception>
    public static Stream Open(string path, string what)
    {
        FileStream file = InputFile.Open(path, what);
        return IsPacked(file) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
