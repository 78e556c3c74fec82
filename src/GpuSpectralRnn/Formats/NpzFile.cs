namespace GpuSpectralRnn.Formats;

/// <summary>Several arrays by their names: NumPy's NPZ format, a zip of NPY files, compressed or not.</summary>
public static class NpzFile
{
    private const string Extension = ".npy";

    /// <summary>Reads all arrays; other members of the archive are passed over.</summary>
    /// <exception cref="InvalidCallException">The file does not exist, or holds no arrays or other than plain ones.</exception>
    /// <exception cref="BrokenFileException">The file is damaged, or unpacks to an implausible size.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path)
    {
        using FileStream stream = InputFile.Open(path, "NPZ file");
        using ZipMembers members = new(path, stream);
        Dictionary<string, NamedArray> arrays = [];
        foreach (string name in members.Names.Where(name => name.EndsWith(Extension, StringComparison.Ordinal)))
        {
            MemoryStream array = new(members.Read(name), writable: false);
            arrays.Add(name[..^Extension.Length], NpyFile.Read(array, $"{path}: {ForeignText.Show(name)}"));
        }

        return arrays.Count > 0 ? arrays : throw new InvalidCallException($"{path} holds no arrays; save it by numpy.savez(path, input=x).");
    }
}
