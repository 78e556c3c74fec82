using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>Checks where results will go before hours of work lead there.</summary>
internal static class OutputPath
{
    /// <summary>Makes sure that a file can be written at <paramref name="path"/>, without touching what is there.</summary>
    /// <exception cref="InvalidCallException">The folder does not exist, or the path is a folder.</exception>
    /// <exception cref="RunFailedException">The folder does not take files.</exception>
    public static void Check(string path, string option)
    {
        if (path.Length == 0) throw new InvalidCallException($"{option} is empty; give a file name.");
        if (Directory.Exists(path)) throw new InvalidCallException($"{option} {path} is a folder; give a file name in it.");
        AtomicFile.CheckTarget(path);
        string target = FilePath.Resolve(path);
        string folder = Path.GetDirectoryName(target) ?? "/";
        if (!Directory.Exists(folder)) throw new InvalidCallException($"{option} {path}: there is no folder {folder}; create it first.");
        TryWrite(folder, Path.Combine(folder, $".gsrnn-{Guid.NewGuid():N}.tmp"));
        if (!File.Exists(target)) TryWrite(folder, target); // whether the folder takes this name, too
    }

    /// <summary>Makes sure that the folder exists and takes files.</summary>
    /// <exception cref="InvalidCallException">It is a file.</exception>
    /// <exception cref="RunFailedException">It does not.</exception>
    public static void CreateFolder(string folder)
    {
        if (File.Exists(folder)) throw new InvalidCallException($"{folder} is a file; give the name of a folder.");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"Cannot create the folder {folder}: {e.Message.TrimEnd('.')}. Choose another.", e);
        }

        TryWrite(folder, Path.Combine(folder, $".gsrnn-{Guid.NewGuid():N}.tmp"));
    }

    private static void TryWrite(string folder, string probe)
    {
        try
        {
            using FileStream stream = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            stream.WriteByte(0);
        }
        catch (PathTooLongException e)
        {
            throw new InvalidCallException(
                $"The name {ForeignText.Show(Path.GetFileName(probe))} is too long for the folder {folder}; give a shorter one.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException(
                $"Cannot write to the folder {folder}: {e.Message.TrimEnd('.')}. Check its permissions and the space left, or choose another.", e);
        }
    }
}
