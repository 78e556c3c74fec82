namespace GpuSpectralRnn.Cli.Groups;

/// <summary>The work ended early, and all members of the group know: they end in order.</summary>
internal sealed class StoppedException(string message) : RunFailedException(message);
