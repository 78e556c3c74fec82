using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>What a call writes never replaces what it reads, nor what is no file.</summary>
public partial class FileOptionTests
{
    [Theory]
    [InlineData("x.npy")]
    [InlineData("./x.npy")]
    [InlineData("link.npy")]
    [InlineData("folder/../y.npy")]
    public void AnOutputThatIsAnInputIsRefused(string name)
    {
        using Folder folder = new();
        string[] data = folder.Npy(6);
        Directory.CreateDirectory(folder["folder"]);
        File.CreateSymbolicLink(folder["link.npy"], "x.npy");
        byte[] x = File.ReadAllBytes(folder["x.npy"]), y = File.ReadAllBytes(folder["y.npy"]);

        Train(data, folder[name]).FailsWith(2, "--out", "this call");

        Assert.Equal(x, File.ReadAllBytes(folder["x.npy"]));
        Assert.Equal(y, File.ReadAllBytes(folder["y.npy"]));
    }

    [SkippableFact]
    public void AHardLinkToAnInputIsRefused()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "hard links are told on Linux only");
        using Folder folder = new();
        string[] data = folder.Npy(6);
        using (Process link = Process.Start("ln", [folder["x.npy"], folder["hard"]])) link.WaitForExit();
        Train(data, folder["hard"]).FailsWith(2, "--out", "--x");
    }

    [Fact]
    public void ACheckpointThatWouldReplaceAnInputIsRefused()
    {
        using Folder folder = new();
        string[] data = folder.Npy(6);
        File.Copy(folder["x.npy"], folder["m.ckpt"]);
        data[3] = folder["m.ckpt"];
        Train(data, folder["m"]).FailsWith(2, "m.ckpt", "--out", "--x");
        Assert.Equal(File.ReadAllBytes(folder["x.npy"]), File.ReadAllBytes(folder["m.ckpt"]));
    }

    // A new option is protected, too, or this fails.
    [Fact]
    public void EveryOptionThatNamesAFileSaysWhetherItIsReadOrWritten()
    {
        var unmarked =
            from verb in Program.Verbs
            from property in verb.GetProperties()
            let name = property.GetCustomAttribute<OptionAttribute>()?.MetaValue ?? property.GetCustomAttribute<ValueAttribute>()?.MetaName ?? ""
            where FileName().IsMatch(name) && property.PropertyType != typeof(double?)
                && property.GetCustomAttribute<ReadsFileAttribute>() is null && property.GetCustomAttribute<WritesFileAttribute>() is null
            select $"{verb.Name}.{property.Name}";
        Assert.Empty(unmarked.Except(["PruneVerb.Fraction", "PruneVerb.FoldName"]));
    }

    [Fact]
    public void TwoOutputsOfOneNameAreRefused()
    {
        using Folder folder = new();
        string[] data = folder.Npy(6);
        Train(data, folder["m"]).Succeeds();
        Gsrnn.Run(["spectrum", folder["m"], .. data, "--report", folder["r"], "--save-covariance", folder["r"]]).FailsWith(2, "--report", "--save-covariance");
    }

    [SkippableFact]
    public void ALinkIsFollowedAndAPipeRefused()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "pipes and devices are told apart on Linux only");
        using Folder folder = new();
        string[] data = folder.Npy(6);
        File.CreateSymbolicLink(folder["link"], "target");
        Train(data, folder["link"]).Succeeds();
        Assert.Equal("target", new FileInfo(folder["link"]).LinkTarget);
        Assert.True(new FileInfo(folder["target"]).Length > 0);

        using (Process make = Process.Start("mkfifo", folder["pipe"])) make.WaitForExit();
        Train(data, folder["pipe"]).FailsWith(2, "pipe");
        Assert.Equal(["link", "link.ckpt", "pipe", "target", "x.npy", "y.npy"], Directory.GetFiles(folder.Path).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ANameTooLongForItsCheckpointIsRefusedAtOnce()
    {
        using Folder folder = new();
        Train(folder.Npy(6), folder[new string('a', 252)]).FailsWith(2, "too long");
        Train(folder.Npy(6), folder[new string('a', 250)]).Succeeds();
    }

    // Full where there is such a device, closed by the shell: the result is there in any case.
    [SkippableTheory]
    [InlineData("2>&-", 0)]
    [InlineData("2>/dev/full", 0)]
    [InlineData(">&-", 1)]
    [InlineData(">/dev/full", 1)]
    public void StreamsThatTakeNothingLoseNoResult(string redirection, int code)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs /dev/full and a shell");
        using Folder folder = new();
        string call = string.Join(' ', ["train", .. folder.Npy(6), "--hidden", "3", "--epochs", "1", "--device", "host", "--out", folder["m"]]);
        using Process shell = Process.Start("sh", ["-c", $"dotnet '{Path.Combine(AppContext.BaseDirectory, "gsrnn.dll")}' {call} {redirection}"]);
        shell.WaitForExit();
        Assert.Equal(code, shell.ExitCode);
        Assert.Equal(0, Gsrnn.Run(["eval", folder["m"], .. folder.Npy(6)]).Code);
    }

    private static Outcome Train(string[] data, string path) =>
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--device", "host", "--quiet", "--out", path]);

    [GeneratedRegex(@"^(F|FILE|MODEL)(\.\w+)?(\.\.\.)?$|\.npy$")]
    private static partial Regex FileName();
}
