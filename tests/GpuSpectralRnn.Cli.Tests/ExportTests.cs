using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Models for other programs.</summary>
public class ExportTests
{
    [Fact]
    public void AGraphIsWrittenAndMeasured()
    {
        using Folder folder = new();
        Train(folder, "lstm");
        JsonElement json = Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--json").Succeeds().Json;
        Assert.Equal(folder["m.onnx"], json.GetProperty("model").GetString());
        Assert.Equal(17, json.GetProperty("opset").GetInt32());
        Assert.InRange(json.GetProperty("maxDifference").GetDouble(), 0, 1e-5);
        Assert.True(new FileInfo(folder["m.onnx"]).Length > 0);

        json = Gsrnn.Run("export", folder["m"], "--out", folder["s.onnx"], "--opset", "21", "--stateful", "--lengths", "--json").Succeeds().Json;
        Assert.Equal(21, json.GetProperty("opset").GetInt32());
        Assert.Contains("differ", Gsrnn.Run("export", folder["m"], "--out", folder["M.ONNX"]).Succeeds().Out);
    }

    [Fact]
    public void WrongCallsAreRefused()
    {
        using Folder folder = new();
        Train(folder, "gru", "--bidirectional");
        string[] Files() => [.. Directory.GetFiles(folder.Path).Order()];
        string[] before = Files();
        Gsrnn.Run("export", folder["m"], "--out", folder["m.tflite"]).FailsWith(2, "--out", ".onnx");
        Gsrnn.Run("export", folder["m"], "--out", folder["m"]).FailsWith(2, "--out", "MODEL");
        Gsrnn.Run("export", folder["none"], "--out", folder["m.onnx"]).FailsWith(2, "none", "does not exist");
        Gsrnn.Run("export", folder["x.npy"], "--out", folder["m.onnx"]).FailsWith(1, "x.npy");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--stateful").FailsWith(2, "bidirectional");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--opset", "12").FailsWith(2, "12", "13");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--opset", "99").FailsWith(2, "99", "13");
        Gsrnn.Run("export", folder["m"]).FailsWith(2, "--out");
        Assert.Equal(before, Files());
    }

    [Fact]
    public void AMeanOverCallsIsRefused()
    {
        using Folder folder = new();
        Train(folder, "irnn", "--readout", "mean");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--stateful").FailsWith(2, "mean");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"]).Succeeds();
    }

    private static void Train(Folder folder, string cell, params string[] more) =>
        Gsrnn.Run(
            ["train", .. folder.Npy(6), "--cell", cell, "--hidden", "3", "--epochs", "1", "--device", "host", "-q", "--out", folder["m"], .. more]).Succeeds();
}
