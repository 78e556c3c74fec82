using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>What a kernel takes of a multiprocessor, as NVIDIA's assembler says.</summary>
/// <param name="Registers">Registers of a thread.</param>
/// <param name="StackBytes">A thread's local memory, for what does not fit in registers.</param>
/// <param name="SpillBytes">Bytes that it stores and loads there because registers ran out.</param>
/// <param name="SharedBytes">Shared memory of a group, without what a launch adds.</param>
internal sealed record AssembledKernel(int Registers, int StackBytes, int SpillBytes, int SharedBytes);

/// <summary>NVIDIA's assembler, from PATH or from where CUDA is installed; it needs no device.</summary>
internal static partial class Ptxas
{
    private const string UsualPlace = "/usr/local/cuda/bin/ptxas";

    private static readonly Lazy<string?> Program = new(() => new[] { "ptxas", UsualPlace }.FirstOrDefault(Starts));

    /// <summary>Whether it is here.</summary>
    public static bool IsHere => Program.Value is not null;

    /// <summary>Assembles a kernel for an architecture.</summary>
    /// <exception cref="InvalidOperationException">The assembler refuses the text.</exception>
    public static AssembledKernel Assemble(string ptx, string architecture)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, ptx);
            (int code, string messages) = Run(Program.Value!, $"-v -arch={architecture} -o {file}.cubin {file}");
            if (code != 0) throw new InvalidOperationException($"ptxas -arch={architecture}: {messages}");
            return Read(messages);
        }
        finally
        {
            File.Delete(file);
            File.Delete(file + ".cubin");
        }
    }

    /// <summary>What ptxas -v prints of one kernel.</summary>
    public static AssembledKernel Read(string messages)
    {
        int spilled = Number(SpillStores().Match(messages)) + Number(SpillLoads().Match(messages));
        return new AssembledKernel(Number(Registers().Match(messages)), Number(Stack().Match(messages)), spilled, Number(Shared().Match(messages)));
    }

    private static int Number(Match match) => match.Success ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    private static bool Starts(string program)
    {
        try
        {
            return Run(program, "--version").Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static (int Code, string Messages) Run(string program, string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Registers();

    [GeneratedRegex(@"(\d+) bytes stack frame")]
    private static partial Regex Stack();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex SpillStores();

    [GeneratedRegex(@"(\d+) bytes spill loads")]
    private static partial Regex SpillLoads();

    [GeneratedRegex(@"(\d+) bytes smem")]
    private static partial Regex Shared();
}
