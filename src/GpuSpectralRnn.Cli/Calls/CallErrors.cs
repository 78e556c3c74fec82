using System.Reflection;
using CommandLine;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>Says in one line what is wrong with a command line, and what to do.</summary>
internal static class CallErrors
{
    /// <summary>The first thing that is wrong; the others would mostly follow from it.</summary>
    public static string Describe(NotParsed<object> result, Type[] verbs, string[] args)
    {
        string[] names = [.. verbs.Select(v => v.GetCustomAttribute<VerbAttribute>()!.Name)];
        Type? verb = verbs.FirstOrDefault(v => v == result.TypeInfo.Current);
        string verbName = verb?.GetCustomAttribute<VerbAttribute>()!.Name ?? "";
        string seeHelp = $"see 'gsrnn {(verb is null ? "" : verbName + " ")}--help'";
        if (verb is not null && FindOptionWithoutValue(verb, args) is { } option) return $"{option} needs a value; {seeHelp}.";
        if (verb is not null && NumberOptions.FindFault(verb, args) is { } fault) return fault;
        Error error = result.Errors.OrderBy(Rank).First();
        return error switch
        {
            BadVerbSelectedError e => $"unknown verb '{ForeignText.Show(e.Token)}'; {Nearest(e.Token, names, "")}choose one of {string.Join(", ", names)}.",
            NoVerbSelectedError => $"no verb given; choose one of {string.Join(", ", names)}.",
            HelpVerbRequestedError e => $"unknown verb '{ForeignText.Show(e.Verb)}'; {Nearest(e.Verb, names, "")}choose one of {string.Join(", ", names)}.",
            UnknownOptionError e => $"unknown option '{ForeignText.Show(Dashed(e.Token))}' for {verbName}; {Nearest(e.Token, Options(verb), "--")}{seeHelp}.",
            MissingRequiredOptionError { NameInfo: var n } when n.NameText.Length == 0 => $"{verbName} needs a {MissingValue(verb)}; {seeHelp}.",
            MissingRequiredOptionError e => $"{verbName} needs {Dashed(e.NameInfo.LongName)}; {seeHelp}.",
            MissingValueOptionError e => $"{Dashed(e.NameInfo.LongName)} needs a value; {seeHelp}.",
            BadFormatConversionError { NameInfo: var n } =>
                $"{(n.NameText.Length == 0 ? "a value" : "the value of " + Dashed(n.LongName))} cannot be read; lists are written with commas and no spaces, 64,32; {seeHelp}.",
            RepeatedOptionError e => $"{Dashed(e.NameInfo.LongName)} is given more than once.",
            BadFormatTokenError e => $"cannot read '{ForeignText.Show(e.Token)}'; {seeHelp}.",
            NamedError { NameInfo: var n } => $"{Dashed(n.LongName)} is not given as it should be; {seeHelp}.",
            _ => $"the call is not understood; {seeHelp}.",
        };
    }

    /// <summary>The option that stands without the value it needs, which the parser would take for one that was not given, or null.</summary>
    public static string? FindOptionWithoutValue(Type verb, string[] args)
    {
        HashSet<string> needing = [.. VerbOptions.All(verb).Where(o => o.Property.PropertyType != typeof(bool)).Select(o => "--" + o.Option.LongName)];
        for (int i = 0; i < args.Length; i++)
        {
            if (args[i].EndsWith('=') && needing.Contains(args[i][..^1])) return args[i][..^1];
            if (needing.Contains(args[i]) && (i + 1 == args.Length || args[i + 1].StartsWith("--", StringComparison.Ordinal))) return args[i];
        }

        return null;
    }

    /// <summary>Unknown names first: a misspelt required option is also a missing one.</summary>
    private static int Rank(Error error) => error is UnknownOptionError ? 0 : error is MissingRequiredOptionError ? 2 : 1;

    private static string Dashed(string name) => (name.Length == 1 ? "-" : "--") + name.TrimStart('-');

    private static IEnumerable<string> Options(Type? verb) =>
        verb is null ? [] : VerbOptions.All(verb).Select(o => o.Option.LongName);

    private static string MissingValue(Type? verb) =>
        verb?.GetProperties().Select(p => p.GetCustomAttribute<ValueAttribute>()).FirstOrDefault(v => v is { Required: true })?.MetaName ?? "value";

    private static string Nearest(string given, IEnumerable<string> known, string prefix)
    {
        string bare = given.TrimStart('-');
        string? best = known.MinBy(name => Distance(bare, name));
        return best is not null && Distance(bare, best) <= Math.Max(2, best.Length / 3) ? $"did you mean '{prefix}{best}'? Otherwise " : "";
    }

    /// <summary>Levenshtein's distance: insertions, deletions and replacements that lead from one word to the other.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
