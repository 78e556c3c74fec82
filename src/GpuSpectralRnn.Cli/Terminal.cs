using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Groups;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli;

/// <summary>The output of a verb: results to standard output, everything else to standard error; control characters are escaped.</summary>
/// <param name="verb">The verb, with its output options.</param>
/// <param name="output">Standard output.</param>
/// <param name="error">Standard error; it takes everything, or drops it.</param>
internal sealed class Terminal(Verb verb, TextWriter output, TextWriter error)
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool hasOpenLine;

    /// <summary>Whether results are printed as JSON.</summary>
    public bool IsJson => verb.Json;

    /// <summary>Whether progress is suppressed.</summary>
    public bool IsQuiet => verb.Quiet || !ProcessGroup.IsFirst;

    /// <summary>Whether progress is written line by line: standard error is no terminal, or a launcher's.</summary>
    public static bool IsPlain => Console.IsErrorRedirected || ProcessGroup.IsLaunched;

    /// <summary>Prints a line of the result, unless results are JSON.</summary>
    public void Result(string line)
    {
        if (!IsJson) WriteResult(ForeignText.Escape(line, keepsLines: true));
    }

    /// <summary>Prints the result as one JSON object, if results are JSON.</summary>
    public void Result(JsonObject json)
    {
        if (IsJson) WriteResult(json.ToJsonString(OneLine));
    }

    /// <summary>Prints a line on the progress.</summary>
    public void Note(string line)
    {
        if (IsQuiet) return;
        EraseLine();
        error.WriteLine(ForeignText.Escape(ParameterOptions.Spell(line), keepsLines: false));
    }

    /// <summary>Replaces the line at the cursor; false, and nothing done, where standard error is no terminal or progress is unwanted.</summary>
    public bool Overwrite(string line)
    {
        if (IsQuiet || IsPlain) return IsQuiet;
        int width = Math.Max(1, Console.WindowWidth - 1);
        error.Write($"\r\x1b[K{ForeignText.Escape(line.Length <= width ? line : line[..width], keepsLines: false)}");
        hasOpenLine = true;
        return true;
    }

    /// <summary>Clears the line that <see cref="Overwrite"/> left.</summary>
    public void EraseLine()
    {
        if (hasOpenLine) error.Write("\r\x1b[K");
        hasOpenLine = false;
    }

    /// <summary>Prints a line on the work while it runs, and then how long it took.</summary>
    public void Timed(string what, Action work)
    {
        if (!IsQuiet) error.Write($"{what} ... ");
        Stopwatch clock = Stopwatch.StartNew();
        try
        {
            work();
        }
        finally
        {
            Note($"{clock.Elapsed.TotalSeconds:0.0} s");
        }
    }

    /// <summary>Prints one line for an error; with <c>--verbose</c> the stack trace below it.</summary>
    public void Error(Exception e)
    {
        EraseLine();
        error.WriteLine($"gsrnn: {Describe(e)}");
        if (verb.Verbose) error.WriteLine(ForeignText.Escape(e.ToString(), keepsLines: true));
    }

    /// <summary>An error in one line.</summary>
    public static string Describe(Exception e)
    {
        string message = e switch
        {
            InvalidCallException or RunFailedException => ParameterOptions.Spell(e.Message),
            OperationCanceledException => "stopped; nothing was written.",
            OutOfMemoryException => "out of memory; choose a smaller --batch, --hidden or --limit.",
            IOException or UnauthorizedAccessException => e.Message,
            _ when Devices.FailureOf(e) is { } failure => $"{failure} Try again, or another --device (--verbose shows where).",
            _ => $"internal error: {e.GetType().Name}: {e.Message} (--verbose shows where).",
        };
        return ForeignText.Escape(message.ReplaceLineEndings(" "), keepsLines: false);
    }

    private void WriteResult(string text)
    {
        try
        {
            output.WriteLine(text);
            output.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException(
                $"Standard output cannot be written: {(e is IOException ? e.Message.TrimEnd('.') : "it is closed")}. " +
                "Files that the call names are complete.", e);
        }
    }

    /// <summary>A number as JSON; null for NaN and infinity, which JSON does not have.</summary>
    public static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    /// <summary>Whole numbers as a JSON array.</summary>
    public static JsonArray Numbers(IEnumerable<int> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
