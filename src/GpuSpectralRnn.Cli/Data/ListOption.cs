namespace GpuSpectralRnn.Cli.Data;

/// <summary>An option that takes names with commas between them.</summary>
internal static class ListOption
{
    /// <summary>The names; none of an option that is not given.</summary>
    public static IReadOnlyList<string> Parse(string? given) =>
        given?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
