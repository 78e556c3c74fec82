namespace GpuSpectralRnn.Tests.Formats;

/// <summary>A folder of its own for one test, removed afterwards.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly string path = Directory.CreateTempSubdirectory("gsrnn-test-").FullName;

    /// <summary>Where it is.</summary>
    public string Root => path;

    public string File(string name) => Path.Combine(path, name);

    /// <summary>Writes a file and returns where.</summary>
    public string Put(string name, byte[] content)
    {
        string file = File(name);
        System.IO.File.WriteAllBytes(file, content);
        return file;
    }

    public string[] Names() => [.. Directory.GetFiles(path).Select(f => Path.GetFileName(f)!)];

    public void Dispose() => Directory.Delete(path, recursive: true);
}
