using System.Reflection;
using CommandLine;
using GpuSpectralRnn.Cli.Groups;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The option names a file, or files, or a pattern of files, that the call reads.</summary>
/// <param name="hasValue">Whether a value may stand before the file, VALUE=FILE.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ReadsFileAttribute(bool hasValue = false) : Attribute
{
    /// <summary>The files of what is given.</summary>
    public IReadOnlyList<string> PathsOf(string given) =>
        FilePattern.Expand(hasValue && !File.Exists(given) ? given[(given.IndexOf('=', StringComparison.Ordinal) + 1)..] : given);
}

/// <summary>The option names a file that the call writes.</summary>
/// <param name="companion">What is appended to the name of a second file beside it.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class WritesFileAttribute(string companion = "") : Attribute
{
    /// <summary>What is appended to the name of a second file beside it; empty for none.</summary>
    public string Companion => companion;
}

/// <summary>Checks the files that a call names, before any work.</summary>
internal static class CallFiles
{
    /// <summary>Every output can be written, none is an input or another output of the same call, whatever its spelling.</summary>
    /// <exception cref="InvalidCallException">One is; the message names both options.</exception>
    /// <exception cref="RunFailedException">A folder does not take files.</exception>
    public static void Check(Verb verb)
    {
        Dictionary<string, string> taken = new(OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        foreach ((string option, string given, ReadsFileAttribute reads) in Named<ReadsFileAttribute>(verb))
        {
            foreach (string path in reads.PathsOf(given)) taken.TryAdd(FilePath.Identity(path), option);
        }

        foreach ((string option, string path, WritesFileAttribute writes) in Named<WritesFileAttribute>(verb))
        {
            Take(path, $"{option} {path}", option);
            if (writes.Companion.Length == 0) continue;
            Take(path + writes.Companion, $"{path + writes.Companion}, which {option} {path} writes beside,", option);
        }

        void Take(string path, string described, string option)
        {
            if (ProcessGroup.IsFirst) OutputPath.Check(path, option); // others write nothing, and may not be able to
            string identity = FilePath.Identity(path);
            if (!taken.TryAdd(identity, option))
                throw new InvalidCallException($"{described} is also {taken[identity]} of this call, which it would replace; give another name.");
        }
    }

    private static IEnumerable<(string Option, string Path, T Attribute)> Named<T>(Verb verb)
        where T : Attribute
    {
        foreach (PropertyInfo property in verb.GetType().GetProperties())
        {
            if (property.GetCustomAttribute<T>() is not { } attribute) continue;
            string name = property.GetCustomAttribute<OptionAttribute>() is { } option
                ? VerbOptions.Spell(option)
                : property.GetCustomAttribute<ValueAttribute>()!.MetaName;
            IEnumerable<string> paths = property.GetValue(verb) switch
            {
                string path => [path],
                IEnumerable<string> several => several,
                _ => [],
            };
            foreach (string path in paths.Where(path => path.Length > 0 || attribute is WritesFileAttribute)) yield return (name, path, attribute);
        }
    }
}
