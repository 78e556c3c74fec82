using System.Globalization;
using System.Reflection;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Groups;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli;

/// <summary>The gsrnn program: parses the call, runs the verb, and reports errors as one line and an exit code.</summary>
internal static class Program
{
    private const int Done = 0;

    /// <summary>Exit code where the work failed.</summary>
    internal const int RunFailed = 1;

    /// <summary>Exit code where the call cannot be.</summary>
    internal const int CallWrong = 2;

    /// <summary>The verbs in the order of the help page.</summary>
    internal static readonly Type[] Verbs =
    [
        typeof(DemoVerb), typeof(DevicesVerb), typeof(DataVerb), typeof(TrainVerb),
        typeof(EvalVerb), typeof(PredictVerb), typeof(SampleVerb), typeof(AnswerVerb), typeof(SpectrumVerb), typeof(PruneVerb), typeof(CompareVerb),
        typeof(BoundVerb), typeof(ExpanderVerb),
        typeof(ExportVerb), typeof(ImportVerb), typeof(CompressVerb), typeof(BenchVerb),
    ];

    private static int Main(string[] args)
    {
        ForgivingWriter error = new(ProcessGroup.OpenError());
        return Run(args, ProcessGroup.IsFirst ? Console.Out : TextWriter.Null, error);
    }

    /// <summary>Runs the program in this process; returns the exit code.</summary>
    /// <param name="given">As a shell hands them over.</param>
    /// <param name="output">Takes results.</param>
    /// <param name="error">Takes everything else.</param>
    internal static int Run(string[] given, TextWriter output, TextWriter error)
    {
        string[] args = given.Length > 1 && given.Contains("--help") && IsVerb(given[0]) ? [given[0], "--help"] : [.. given.Select(Spell)];
        if (given is ["help", var asked, ..] && !IsVerb(asked)) args = [asked]; // an unknown verb, whoever asks
        if (args.Length > 0 && FindVerb(args[0]) is { } called) args = RepeatedOptions.Gather(called, args);
        using Parser parser = new(settings =>
        {
            settings.HelpWriter = null;
            settings.AutoHelp = true;
            settings.AutoVersion = true;
            settings.ParsingCulture = CultureInfo.InvariantCulture;
        });
        ParserResult<object> result = parser.ParseArguments(args, Verbs);
        return result is NotParsed<object> notParsed
            ? Explain(notParsed, args, output, error)
            : Run((Verb)result.Value, given, args, new Terminal((Verb)result.Value, output, error));
    }

    private static bool IsVerb(string word) => FindVerb(word) is not null;

    private static Type? FindVerb(string word) => Array.Find(Verbs, verb => verb.GetCustomAttribute<VerbAttribute>()!.Name == word);

    /// <summary>The parser has no long names of one letter: --x and --y reach it by their longer ones.</summary>
    private static string Spell(string arg) => arg switch
    {
        "--x" => "--inputs",
        "--y" => "--targets",
        _ when arg.StartsWith("--x=", StringComparison.Ordinal) => "--inputs=" + arg[4..],
        _ when arg.StartsWith("--y=", StringComparison.Ordinal) => "--targets=" + arg[4..],
        _ => arg,
    };

    private static int Run(Verb verb, string[] given, string[] args, Terminal terminal)
    {
        verb.Call = CommandText.From(given);
        try
        {
            verb.Group = ProcessGroup.Join(verb, given[0]);
            ProcessGroup.CheckAlike(verb);
            if (CallErrors.FindOptionWithoutValue(verb.GetType(), args) is { } option) throw new InvalidCallException($"{option} needs a value.");
            if (NumberOptions.FindFault(verb.GetType(), args) is { } fault) throw new InvalidCallException(fault);
            verb.CheckNothingIsLeft();
            CallFiles.Check(verb);
            verb.Run(terminal);
            verb.Group.Dispose();
            return Done;
        }
        catch (Exception e)
        {
            return Fail(verb, terminal, e);
        }
        finally
        {
            foreach (IDisposable opened in verb.Opened) opened.Dispose();
        }
    }

    private static int Fail(Verb verb, Terminal terminal, Exception e)
    {
        int code = e is InvalidCallException ? CallWrong : RunFailed;
        bool isTogether = e is StoppedException || verb.Group.Size == 1;
        if (ProcessGroup.IsFirst || verb.Group.Size == 1) terminal.Error(e);
        if (!isTogether) ProcessGroup.Fail(verb.Group, code, ProcessGroup.IsFirst ? "" : Terminal.Describe(e));
        verb.Group.Dispose();
        return code;
    }

    private static int Explain(NotParsed<object> result, string[] args, TextWriter output, TextWriter error)
    {
        if (HelpPages.WantsVersion(result))
        {
            output.WriteLine($"gsrnn {HelpPages.Version}");
            return Done;
        }

        if (HelpPages.IsWanted(result) || args.Length == 0)
        {
            // Without arguments the page goes to standard error, because nothing was done.
            (args.Length == 0 ? error : output).Write(HelpPages.For(result, Verbs));
            return args.Length == 0 ? CallWrong : Done;
        }

        error.WriteLine($"gsrnn: {ForeignText.Escape(CallErrors.Describe(result, Verbs, args), keepsLines: false)}");
        return CallWrong;
    }
}
