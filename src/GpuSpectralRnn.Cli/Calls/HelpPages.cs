using System.Reflection;
using CommandLine;
using CommandLine.Text;
using GpuSpectralRnn.Cli.Verbs;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The pages behind <c>gsrnn --help</c> and <c>gsrnn VERB --help</c>.</summary>
internal static class HelpPages
{
    private const int Width = 150;

    /// <summary>The program's version, for example 0.1.0.</summary>
    public static string Version { get; } =
        typeof(HelpPages).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <summary>Whether help was asked for.</summary>
    public static bool IsWanted(NotParsed<object> result) =>
        result.Errors.Any(e => e is HelpRequestedError or HelpVerbRequestedError { Matched: true } or HelpVerbRequestedError { Verb: null });

    /// <summary>Whether the version was asked for.</summary>
    public static bool WantsVersion(NotParsed<object> result) => result.Errors.Any(e => e is VersionRequestedError);

    /// <summary>The page of the verb that was named, or of all verbs.</summary>
    public static string For(NotParsed<object> result, Type[] verbs)
    {
        Type? verb = result.Errors.OfType<HelpVerbRequestedError>().FirstOrDefault()?.Type ?? result.TypeInfo.Current;
        return verb is not null && verbs.Contains(verb) ? OfVerb(verb) : OfProgram(verbs);
    }

    private static string OfProgram(Type[] verbs)
    {
        HelpText text = Blank($"gsrnn {Version}: train recurrent networks, measure how many hidden units they need, and cut them down.");
        text.AddPreOptionsLine("\nUsage: gsrnn VERB [OPTIONS]    gsrnn VERB --help");
        text.AddDashesToOption = false;
        return Finish(text.AddVerbs(verbs));
    }

    private static string OfVerb(Type type)
    {
        Verb verb = (Verb)Activator.CreateInstance(type)!;
        VerbAttribute about = type.GetCustomAttribute<VerbAttribute>()!;
        HelpText text = Blank($"gsrnn {about.Name}: {about.HelpText}");
        text.AddPreOptionsLine($"\nUsage: gsrnn {about.Name} {verb.Usage}");
        text.AddPreOptionsLine($"Example: {verb.Example}");

        // Only a parser can tell the help text of which type it speaks; --help makes it answer without asking for required options.
        using Parser parser = new(settings => settings.HelpWriter = null);
        return Finish(text.AddOptions(parser.ParseArguments(() => Activator.CreateInstance(type)!, ["--help"])));
    }

    private static HelpText Blank(string heading) =>
        new(heading) { AdditionalNewLineAfterOption = false, AddDashesToOption = true, AutoVersion = false, MaximumDisplayWidth = Width };

    private static string Finish(HelpText text) => text.ToString().TrimEnd() + "\n";
}
