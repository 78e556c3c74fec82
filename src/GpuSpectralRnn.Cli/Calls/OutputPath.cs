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
        TemporaryFile.RemoveAbandoned(folder);
        TryWrite(folder);
        CheckName(folder, target);
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

        TemporaryFile.RemoveAbandoned(folder);
        TryWrite(folder);
    }

    // Whether the folder takes this name. It is looked up, not tried: a call that is killed must leave nothing under it.
    private static void CheckName(string folder, string target)
    {
        try
        {
            using FileStream? there = File.Exists(target) ? null : new(target, FileMode.Open, FileAccess.Read);
        }
        catch (FileNotFoundException)
        {
            // It does, and the name is free.
        }
        catch (PathTooLongException e)
        {
            throw new InvalidCallException(
                $"The name {ForeignText.Show(Path.GetFileName(target))} is too long for the folder {folder}; give a shorter one.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"The folder {folder} does not take the name {ForeignText.Show(Path.GetFileName(target))}: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static void TryWrite(string folder)
    {
        string probe = TemporaryFile.NameIn(folder);
        try
        {
            using FileStream stream = TemporaryFile.Create(probe);
            stream.WriteByte(0);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException(
                $"Cannot write to the folder {folder}: {e.Message.TrimEnd('.')}. Check its permissions and the space left, or choose another.", e);
        }
    }
}
