using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using GpuSpectralRnn.Mpi.Tests.Members;

namespace GpuSpectralRnn.Mpi.Tests.Support;

/// <summary>What a group left.</summary>
/// <param name="Code">Exit code of the launcher.</param>
/// <param name="Out">Standard output of all members.</param>
/// <param name="Error">Standard error of all members and of the launcher.</param>
internal sealed record Outcome(int Code, string Out, string Error)
{
    /// <summary>Standard output by line; a terminal ends lines its own way.</summary>
    public IEnumerable<string> OutLines => Lines(Out);

    /// <summary>Checks for success of all members in all jobs.</summary>
    public Outcome Succeeds(string jobs, int size)
    {
        Assert.True(Code == 0, $"exit code {Code}: {Error}{Out}");
        foreach (string job in jobs.Split(',')) Assert.Contains($"done {job} by {size}", Out, StringComparison.Ordinal);
        return this;
    }

    /// <summary>Checks for a failure with a line.</summary>
    public Outcome FailsWith(int code, string line)
    {
        Assert.True(Code == code, $"exit code {Code} instead of {code}: {Error}{Out}");
        Assert.Contains(line, Lines(Error), StringComparer.Ordinal);
        return this;
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n').Select(line => line.TrimEnd('\r'));
}

/// <summary>Groups of <see cref="MemberProgram"/>, started as users do.</summary>
/// <param name="flavour">Whose launcher starts them.</param>
internal sealed class Mpirun(MpiFlavour flavour)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Debian's name, under which both flavours are there at once.
    private string Program => flavour == MpiFlavour.OpenMpi ? "mpirun.openmpi" : "mpirun.mpich";

    /// <summary>Skips a test where the launcher or its library is not there.</summary>
    public void SkipIfMissing()
    {
        string[] folders = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator) ?? [];
        Skip.IfNot(folders.Any(folder => File.Exists(Path.Combine(folder, Program))), $"{Program} is not installed");
        SkipIfNoLibrary(flavour);
    }

    /// <summary>Skips a test where a flavour has no library.</summary>
    public static void SkipIfNoLibrary(MpiFlavour flavour)
    {
        bool isThere = flavour.Libraries().Any(name => NativeLibrary.TryLoad(name, out _));
        Skip.IfNot(isThere, $"the package {flavour.Package()} is not installed");
    }

    /// <summary>Runs a group to its end.</summary>
    public Outcome Run(int size, params string[] words)
    {
        using Process process = Start(size, [], words);
        return Finish(process);
    }

    /// <summary>Starts a group.</summary>
    /// <param name="size">Members.</param>
    /// <param name="environment">NAME=VALUE sets a variable of the members, NAME removes it.</param>
    /// <param name="words">Jobs and library.</param>
    public Process Start(int size, string[] environment, params string[] words)
    {
        ProcessStartInfo info = new(Program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        info.Environment["OMPI_ALLOW_RUN_AS_ROOT"] = info.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
        info.Environment["TERM"] = "dumb"; // Open MPI gives its members a terminal
        info.Environment.Remove(LibraryChoice.Variable);
        if (flavour == MpiFlavour.OpenMpi) info.ArgumentList.Add("--oversubscribe");
        string number = size.ToString(CultureInfo.InvariantCulture), program = typeof(MemberProgram).Assembly.Location;
        string[] variables = [.. environment.SelectMany(variable => variable.Contains('=') ? [variable] : new[] { "-u", variable })];
        foreach (string word in (string[])["-np", number, "env", .. variables, "dotnet", program, .. words]) info.ArgumentList.Add(word);
        Process process = Process.Start(info)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Waits for the launcher's end.</summary>
    public static Outcome Finish(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"the group did not end within {Patience.TotalSeconds} s: {output.Result}{error.Result}");
        }

        return new Outcome(process.ExitCode, output.Result, error.Result);
    }
}
