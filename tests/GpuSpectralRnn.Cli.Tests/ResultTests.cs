using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>What results say, and when there is none.</summary>
public class ResultTests
{
    // The weights stay finite; the outputs do not.
    [Fact]
    public void AnswersThatAreNotFiniteAreErrors()
    {
        using Folder folder = new();
        string[] data = Regression(folder, scale: 1), large = Regression(folder, scale: 3e38f, stem: "large");
        string[] wide = ["--cell", "rnn-relu", "--init-range", "5", "--lr", "1e-9"];
        Train(folder, data, wide).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. large]).FailsWith(1, "not finite");
        Gsrnn.Run(["predict", folder["m"], .. large, "--out", folder["y"]]).FailsWith(1, "diverged");
        File.Delete(folder["m"]);
        Train(folder, large, wide).FailsWith(1);
        Assert.False(File.Exists(folder["m"]) || File.Exists(folder["y"]));
    }

    [Fact]
    public void RegressionsTellTheShareOfTheVariance()
    {
        using Folder folder = new();
        string[] data = Regression(folder, scale: 1);
        Train(folder, data).Succeeds();
        JsonElement result = Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Json;
        double[] targets = [.. Enumerable.Range(0, 12).Select(Target)];
        double mean = targets.Average(), variance = targets.Average(y => (y - mean) * (y - mean));
        Assert.Equal(1 - (result.GetProperty("value").GetDouble() / variance), result.GetProperty("r2").GetDouble(), 1e-6); // targets are floats
        Assert.Contains("R^2", Gsrnn.Run(["eval", folder["m"], .. data]).Out);
    }

    [Theory]
    [InlineData("rnn-tanh", 1e-4)]
    [InlineData("gru", 1e-3)]
    public void SpectrumAndPruneHaveOneRidge(string cell, double ridge)
    {
        using Folder folder = new();
        string[] data = folder.Npy(8);
        Gsrnn.Run(["train", .. data, "--cell", cell, "--hidden", "4", "--epochs", "1", "--device", "host", "--out", folder["m"]]).Succeeds();
        JsonElement layer = Gsrnn.Run(["spectrum", folder["m"], .. data, "--json", "-q"]).Json.GetProperty("layers")[0];
        Assert.Equal(ridge, layer.GetProperty("ridge").GetDouble());
    }

    [Fact]
    public void PerplexitiesSayTheirColumns()
    {
        using Folder folder = new();
        string text = folder.Text("t", "the cat sat on the mat\nthe dog sat on the cat\n", 20);
        string[] data = ["--data", "text", "--train", text, "--test", text, "--bptt", "5", "--device", "host"];
        string trained = Gsrnn.Run(["train", .. data, "--hidden", "4", "--epochs", "1", "--batch", "8", "--out", folder["m"], "-q"]).Succeeds().Out;
        Assert.Contains("in 8 columns", trained);
        Assert.Contains("in 20 columns", Gsrnn.Run(["eval", folder["m"], "--data", "text", "--test", text]).Out);
        Assert.Equal(3, Gsrnn.Run(["eval", folder["m"], "--data", "text", "--test", text, "--batch", "3", "--json"]).Json.GetProperty("columns").GetInt32());
    }

    [Fact]
    public void PruneShowsItsFiveBest()
    {
        using Folder folder = new();
        string[] data = folder.Npy(40);
        Gsrnn.Run(["train", .. data, "--hidden", "6", "--epochs", "1", "--device", "host", "--out", folder["m"]]).Succeeds();
        Outcome outcome = Gsrnn.Run(["prune", folder["m"], .. data, "--keep", "3", "--refine", "off", "--device", "host", "--out", folder["s"]]).Succeeds();
        Assert.Equal(5, outcome.Error.Split('\n').Count(line => line.StartsWith("  ", StringComparison.Ordinal)));
        Assert.Matches(@"\d+ candidates, the closest", outcome.Error);
    }

    [Fact]
    public void EpochsFitATerminalOf80Columns()
    {
        Evaluation result = new("accuracy", 0.98765, 0.123456, 1000);
        string line = ProgressText.Short(new EpochReport(100, 100, result, result, true, 123_456, TimeSpan.FromHours(3)));
        Assert.True(line.Length < 80, line);
        Assert.Contains("0.9877", line);
    }

    [Theory]
    [InlineData(1.5e60, "1.5e+60")]
    [InlineData(0.25, "0.25")]
    [InlineData(1.234e-5, "1.234e-5")]
    [InlineData(0, "0")]
    public void HugeAndTinyNumbersHaveExponents(double value, string shown) => Assert.Equal(shown, Evaluation.Shown(value));

    [SkippableFact]
    public void AClosedTerminalLeavesACheckpoint()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "signals are sent by kill");
        using Folder folder = new();
        using Process process = Gsrnn.Start(
            folder.Path, "train", "--data", "digits", "--hidden", "64", "--epochs", "100000", "--limit", "500", "--device", "host", "--out", folder["m"]);
        FileInfo checkpoint = new(folder["m.ckpt"]);
        while (checkpoint is not { Exists: true, Length: > 1 }) // at the start the call tries whether the name can be written, by a byte
        {
            Thread.Sleep(20);
            checkpoint.Refresh();
        }

        using (Process kill = Process.Start("kill", ["-HUP", process.Id.ToString(CultureInfo.InvariantCulture)])) kill.WaitForExit();
        Outcome outcome = Gsrnn.Finish(process);
        Assert.Equal(1, outcome.Code);
        Assert.Contains("--resume", outcome.Error);
    }

    private static float Target(int n) => MathF.Sin(n) + (0.1f * n);

    private static string[] Regression(Folder folder, float scale, string stem = "")
    {
        const int Count = 12;
        string x = folder.Npy($"{stem}rx.npy", [Count, 4, 1], Enumerable.Range(0, Count * 4).Select(i => scale * MathF.Cos(i)));
        string y = folder.Npy($"{stem}ry.npy", [Count], Enumerable.Range(0, Count).Select(Target));
        return ["--data", "npy", "--x", x, "--y", y, "--device", "host"];
    }

    private static Outcome Train(Folder folder, string[] data, params string[] options) =>
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "-q", "--out", folder["m"], .. options]);
}
