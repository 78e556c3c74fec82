using System.IO.Compression;

namespace GpuSpectralRnn.Keras;

/// <summary>A .keras file: a zip of config.json and model.weights.h5. The unpacked size is bounded.</summary>
internal static class KerasArchive
{
    private const int LargestConfig = 1 << 24;
    private const long LargestWeights = 1L << 30; // bytes

    /// <summary>Largest ratio of unpacked to packed size; weights hardly shrink, and Keras does not compress them.</summary>
    private const int LargestRatio = 20;

    /// <summary>The configuration and the weights.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="stream">Its content, seekable.</param>
    /// <exception cref="BrokenFileException">It is no zip, lacks one of them, or unpacks to an implausible size.</exception>
    public static (byte[] Config, Stream Weights) Unpack(string path, Stream stream)
    {
        try
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Read);
            return (Read("config.json", LargestConfig), new MemoryStream(Read("model.weights.h5", LargestWeights), writable: false));

            byte[] Read(string name, long largest)
            {
                ZipArchiveEntry entry = archive.GetEntry(name)
                    ?? throw new BrokenFileException(path, $"{name} is not in it; save it again with model.save.");
                long bound = Math.Min(largest, LargestRatio * stream.Length);
                if (entry.Length > bound)
                    throw new BrokenFileException(path, $"{name} would unpack to {entry.Length:N0} bytes; at most {bound:N0} are read of this file.");
                byte[] content = new byte[entry.Length];
                using Stream packed = entry.Open();
                packed.ReadExactly(content);
                return content;
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException or IOException)
        {
            throw new BrokenFileException(path, "it is no .keras file (a zip), or a damaged one.", e);
        }
    }
}
