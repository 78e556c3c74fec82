namespace GpuSpectralRnn;

/// <summary>
/// The caller asked for something that cannot be: a bad value, data that do not fit the model, a device that is absent. Exit code 2 on the command
/// line. Parameters and properties stand in the message in backticks, <c>`keep` 0: choose 1 unit or more.</c>, so that the command line can name the
/// options that set them; so they do in the messages of <see cref="RunFailedException"/>.
/// </summary>
public class InvalidCallException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A well-formed request could not be carried out: a broken file, a diverged run, a lost device. Exit code 1 on the command line.</summary>
public class RunFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A file's content is not what its format promises: truncated, corrupt, or out of range. The message names the file, the place and the value.
/// </summary>
public sealed class BrokenFileException(string path, string problem, Exception? inner = null)
    : RunFailedException($"{path}: {problem}", inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;
}

/// <summary>Training produced NaN or infinity.</summary>
public sealed class DivergedException(string message, long step) : RunFailedException(message)
{
    /// <summary>The optimiser step (1-based, over the whole run) at which the loss was first not finite.</summary>
    public long Step { get; } = step;
}

/// <summary>Pruning in training left an axis without units.</summary>
public sealed class EverythingPrunedException(string message) : RunFailedException(message);
