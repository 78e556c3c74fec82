namespace GpuSpectralRnn.Formats;

/// <summary>
/// Writes files so that a reader sees the old content or the new one, never a part: to a temporary name in the same folder, then renamed. Links are
/// followed; devices and pipes are refused.
/// </summary>
public static class AtomicFile
{
    /// <summary>
    /// Calls <paramref name="write"/> on a temporary file beside <paramref name="path"/>, flushes it to the disk and renames it over
    /// <paramref name="path"/>.
    /// </summary>
    /// <exception cref="InvalidCallException">The path is a device or a pipe.</exception>
    /// <exception cref="RunFailedException">The folder does not exist or is read-only, the disk is full, ...; the old file, if any, is
    /// untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        CheckTarget(path);
        string target = FilePath.Resolve(path);
        string temporary = TemporaryFile.NameIn(Path.GetDirectoryName(target) ?? "");
        try
        {
            using FileStream stream = TemporaryFile.Create(temporary);
            write(stream);
            stream.Flush(flushToDisk: true);
            File.Move(temporary, target, overwrite: true); // while it is locked: nobody can take it for abandoned
        }
        catch (Exception e)
        {
            TryDelete(temporary);
            if (e is IOException or UnauthorizedAccessException)
                throw new RunFailedException(
                    $"Cannot write {path}: {e.Message.TrimEnd('.')}. Check the folder, its permissions and the space left.", e);
            throw;
        }
    }

    /// <summary>Refuses a target that is not a regular file.</summary>
    /// <exception cref="InvalidCallException">The path is a device or a pipe.</exception>
    public static void CheckTarget(string path)
    {
        if (FilePath.IsSpecial(path))
            throw new InvalidCallException(
                $"{ForeignText.Show(path)} is a device or a pipe; results go to a file, which is written beside and renamed. Name one.");
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The write already failed; a leftover temporary file must not hide why.
        }
    }
}
