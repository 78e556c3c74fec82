namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The call as it was typed, for reports.</summary>
internal static class CommandText
{
    /// <summary>For example <c>gsrnn compare --data digits --keep 42</c>; quoted where a shell needs it.</summary>
    public static string From(IEnumerable<string> args) => string.Join(' ', args.Select(Quote).Prepend("gsrnn"));

    private static string Quote(string arg) =>
        arg.Length > 0 && arg.All(c => char.IsLetterOrDigit(c) || "-_=./,:+@%".Contains(c)) ? arg : $"'{arg.Replace("'", @"'\''")}'";
}
