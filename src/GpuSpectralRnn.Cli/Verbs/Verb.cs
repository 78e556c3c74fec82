using CommandLine;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>Base of all verbs: output options and execution.</summary>
internal abstract class Verb
{
    [Option("json", HelpText = "Print the result as one JSON object.")]
    public bool Json { get; set; }

    [Option('q', "quiet", HelpText = "No progress on standard error.")]
    public bool Quiet { get; set; }

    [Option("verbose", HelpText = "Show the stack trace of an error.")]
    public bool Verbose { get; set; }

    /// <summary>Arguments that belong to no option.</summary>
    [Value(9, Hidden = true)]
    public IEnumerable<string> Leftover { get; set; } = [];

    /// <summary>The call as it was typed.</summary>
    public string Call { get; set; } = "gsrnn";

    /// <summary>The processes that share the work; this one alone unless mpirun started more.</summary>
    public IReplicas Group { get; set; } = LocalReplicas.Instance;

    /// <summary>What was opened on the way and is closed when the call ends, whatever its end.</summary>
    internal List<IDisposable> Opened { get; } = [];

    /// <summary>The arguments after the verb's name on its help page.</summary>
    public abstract string Usage { get; }

    /// <summary>A call that works as it stands, given the files it names.</summary>
    public abstract string Example { get; }

    /// <summary>Does the work.</summary>
    public abstract void Run(Terminal terminal);

    /// <summary>Refuses arguments that belong to no option, which the parser would ignore.</summary>
    public void CheckNothingIsLeft()
    {
        if (Leftover.FirstOrDefault() is { } word)
            throw new InvalidCallException($"'{word}' belongs to no option; options start with --, values follow them.");
    }
}
