using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace GpuSpectralRnn.Cli.Tests.Support;

/// <summary>What a run of the program left.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record Outcome(int Code, string Out, string Error)
{
    /// <summary>Standard output as the one JSON object it must be.</summary>
    public JsonElement Json
    {
        get
        {
            using JsonDocument document = JsonDocument.Parse(Out);
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
            return document.RootElement.Clone();
        }
    }

    /// <summary>Checks for success; a failure shows what was said.</summary>
    public Outcome Succeeds()
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}");
        return this;
    }

    /// <summary>
    /// Checks for failure with one line on standard error that holds every one of <paramref name="words"/>, and nothing on standard output.
    /// </summary>
    public Outcome FailsWith(int code, params string[] words)
    {
        Assert.True(Code == code, $"exit code {Code} instead of {code}: {Error}{Out}");
        string[] lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1, $"one line expected:\n{Error}");
        Assert.StartsWith("gsrnn: ", lines[0]);
        Assert.DoesNotContain("internal error", lines[0]);
        foreach (string word in words) Assert.Contains(word, lines[0], StringComparison.OrdinalIgnoreCase);
        Assert.Equal("", Out);
        return this;
    }
}

/// <summary>Runs the program: in this process, or, where streams, signals or the working folder matter, as a user does.</summary>
internal static class Gsrnn
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs it to its end in this process.</summary>
    public static Outcome Run(params string[] args)
    {
        using StringWriter output = new(), error = new();
        int code = Program.Run(args, output, error);
        return new Outcome(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs it to its end as a process in a folder.</summary>
    public static Outcome RunIn(string folder, params string[] args)
    {
        using Process process = Start(folder, args);
        return Finish(process);
    }

    /// <summary>Starts it.</summary>
    public static Process Start(string folder, params string[] args)
    {
        ProcessStartInfo info = new("dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "gsrnn.dll"));
        foreach (string arg in args) info.ArgumentList.Add(arg);
        return Process.Start(info)!;
    }

    /// <summary>Asks it to stop, by SIGTERM, which it serves as Ctrl-C: what a shell starts in the background is born deaf to SIGINT.</summary>
    public static void Interrupt(Process process)
    {
        using Process kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end and gathers what was written.</summary>
    public static Outcome Finish(Process process, string outSoFar = "", string errorSoFar = "")
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"gsrnn did not end within {Patience.TotalSeconds} s: {error.Result}");
        }

        return new Outcome(process.ExitCode, outSoFar + output.Result, errorSoFar + error.Result);
    }
}
