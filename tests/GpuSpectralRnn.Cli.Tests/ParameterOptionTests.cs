using System.Reflection;
using System.Text.RegularExpressions;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Keras;
using GpuSpectralRnn.Mpi;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Signals.Speech;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>The library speaks of parameters, the command line of options, and one table lies between them.</summary>
public partial class ParameterOptionTests
{
    private static readonly Assembly[] Libraries = [typeof(InvalidCallException).Assembly, typeof(GraphCompression).Assembly,
        typeof(KerasImport).Assembly, typeof(SpeechSet).Assembly, typeof(MpiReplicas).Assembly];

    private static readonly string[] Literals =
    [
        .. from library in Libraries
           from type in AssemblyDefinition.ReadAssembly(library.Location).MainModule.GetTypes()
           from method in type.Methods
           where method.HasBody
           from instruction in method.Body.Instructions
           where instruction.OpCode == OpCodes.Ldstr
           select (string)instruction.Operand,
    ];

    private static readonly string[] Named =
        [.. Literals.SelectMany(text => ParameterOptions.Name().Matches(text)).Select(name => name.Groups[1].Value).Distinct()];

    [Fact]
    public void The_library_knows_no_options() =>
        Assert.DoesNotContain(Literals, text => OptionLike().IsMatch(text) && !text.Contains("var(--", StringComparison.Ordinal)); // a style sheet's variables

    [Fact]
    public void What_the_library_names_in_backticks_is_there_and_has_an_option()
    {
        HashSet<string> members = [.. Libraries.SelectMany(library => library.GetTypes()).SelectMany(Members)];
        Assert.NotEmpty(Named);
        Assert.All(Named, name => Assert.Contains(name, members));
        Assert.All(Named, name => Assert.Contains(name, ParameterOptions.All));
    }

    [Fact]
    public void Every_row_of_the_table_is_needed_and_names_an_option()
    {
        HashSet<string> options =
        [
            .. from verb in typeof(Verb).Assembly.GetTypes()
               from option in VerbOptions.All(verb)
               select VerbOptions.Spell(option.Option),
        ];
        Assert.All(ParameterOptions.All.Keys, name => Assert.Contains(name, Named, StringComparer.OrdinalIgnoreCase));
        Assert.All(ParameterOptions.All.Values, spelled => Assert.Contains(spelled.Split(' ').First(word => word.StartsWith('-')), options));
    }

    [Fact]
    public void Messages_are_spelled_for_the_command_line()
    {
        Assert.Equal("--keep 0: choose 1 or more, or a --tolerance.", ParameterOptions.Spell("`Keep` 0: choose 1 or more, or a `tolerance`."));
        Assert.Equal("`other` keep", ParameterOptions.Spell("`other` keep"));
    }

    private static IEnumerable<string> Members(Type type)
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        return type.GetProperties(all).Select(property => property.Name)
            .Concat(type.GetMethods(all).Select(method => $"{type.Name}.{method.Name}"))
            .Concat(type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all)).SelectMany(method => method.GetParameters()).Select(p => p.Name!));
    }

    [GeneratedRegex("--[A-Za-z]")]
    private static partial Regex OptionLike();
}
