using System.Text;

namespace GpuSpectralRnn.Cli.Groups;

/// <summary>
/// Standard error of a member other than the first, whose lines nobody needs who reads the same from the first: they come late, when the launcher has
/// ended what failed everywhere, and say who writes.
/// </summary>
/// <param name="rank">The member.</param>
/// <param name="error">Standard error.</param>
internal sealed class MemberWriter(int rank, TextWriter error) : TextWriter
{
    /// <summary>Launchers end the others within 1 s after one has failed.</summary>
    private static readonly TimeSpan LauncherEnds = TimeSpan.FromSeconds(2);

    private bool hasWaited;

    /// <inheritdoc/>
    public override Encoding Encoding => error.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(string? value) => WriteLine(value);

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        if (string.IsNullOrWhiteSpace(value)) return;
        if (!hasWaited) ProcessGroup.LetFirstSpeak(LauncherEnds);
        hasWaited = true;
        error.WriteLine($"gsrnn: rank {rank}: {value.Replace("gsrnn: ", "", StringComparison.Ordinal)}");
    }
}
