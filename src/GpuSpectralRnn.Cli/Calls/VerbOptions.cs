using System.Reflection;
using CommandLine;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The options of a verb, with those of the groups that it shares with others: interfaces.</summary>
internal static class VerbOptions
{
    /// <summary>All there are, each with its property.</summary>
    public static IEnumerable<(PropertyInfo Property, OptionAttribute Option)> All(Type verb) =>
        from type in verb.GetInterfaces().Prepend(verb)
        from property in type.GetProperties()
        let option = property.GetCustomAttribute<OptionAttribute>()
        where option is not null
        select (property, option);

    /// <summary>As a user writes it.</summary>
    public static string Spell(OptionAttribute option) => option.LongName switch
    {
        "inputs" => "--x",
        "targets" => "--y",
        var name => "--" + name,
    };
}
