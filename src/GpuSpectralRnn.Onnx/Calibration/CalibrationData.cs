using System.IO.Compression;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>Arrays that graphs are called with, by the name of the input: [N, ...], one call or one sequence of calls for each of N.</summary>
public static class CalibrationData
{
    /// <summary>The name of an array without a name.</summary>
    public const string Nameless = "";

    /// <summary>Reads one array (.npy) or several with their names (.npz).</summary>
    /// <exception cref="InvalidCallException">The file does not exist, or holds other than plain arrays.</exception>
    /// <exception cref="BrokenFileException">The file is broken.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path)
    {
        if (!path.EndsWith(".npz", StringComparison.OrdinalIgnoreCase)) return new Dictionary<string, NamedArray> { [Nameless] = NpyFile.Read(path) };
        using FileStream stream = InputFile.Open(path, "NPZ file");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("gsrnn-npz-");
        try
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Read);
            Dictionary<string, NamedArray> arrays = [];
            foreach (ZipArchiveEntry entry in archive.Entries.Where(entry => entry.FullName.EndsWith(".npy", StringComparison.Ordinal)))
            {
                string file = Path.Combine(folder.FullName, $"{arrays.Count}.npy");
                entry.ExtractToFile(file);
                arrays[entry.FullName[..^".npy".Length]] = NpyFile.Read(file);
                File.Delete(file);
            }

            if (arrays.Count == 0) throw new InvalidCallException($"{path} holds no arrays; save it by numpy.savez(path, input=x).");
            return arrays;
        }
        catch (InvalidDataException e)
        {
            throw new BrokenFileException(path, $"not an NPZ file: {e.Message}", e);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
