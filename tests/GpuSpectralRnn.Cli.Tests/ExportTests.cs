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
    public void AStateDictHoldsTheTensorsAlone()
    {
        using Folder folder = new();
        Train(folder, "gru");
        Outcome outcome = Gsrnn.Run("export", folder["m"], "--out", folder["torch.safetensors"]).Succeeds();
        Assert.Contains("already", outcome.Error);
        Assert.Contains("self.rnn = nn.GRU(2, 3, 1, batch_first=True)", outcome.Out);
        Gsrnn.Run("eval", folder["torch.safetensors"], "--data", "digits").FailsWith(2, "import");
        Gsrnn.Run("import", folder["torch.safetensors"], "--cell", "gru", "--task", "classification", "--out", folder["n"]).Succeeds();
        Assert.Equal(Predict(folder, "m"), Predict(folder, "n"));
    }

    [Fact]
    public void SourceSaysItsSizes()
    {
        using Folder folder = new();
        Train(folder, "lstm");
        JsonElement json = Gsrnn.Run("export", folder["m"], "--out", folder["net-1.c"], "--json").Succeeds().Json;
        Assert.Equal("net_1", json.GetProperty("name").GetString());
        Assert.Equal(6 * sizeof(float), json.GetProperty("stateBytes").GetInt32());
        string text = File.ReadAllText(folder["net-1.c"]);
        Assert.Contains($"gsrnn export {folder["m"]}", text);
        Assert.Contains("void net_1_step(float state[6], const float input[2], float output[2])", text);
    }

    [Fact]
    public void WrongCallsAreRefused()
    {
        using Folder folder = new();
        Train(folder, "gru", "--bidirectional");
        string[] Files() => [.. Directory.GetFiles(folder.Path).Order()];
        string[] before = Files();
        Gsrnn.Run("export", folder["m"], "--out", folder["m.tflite"]).FailsWith(2, "--out", ".onnx", ".safetensors", ".c");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.c"]).FailsWith(2, "bidirectional");
        Gsrnn.Run("export", folder["m"], "--out", folder["m.c"], "--stateful").FailsWith(2, "--stateful", "ONNX");
        Gsrnn.Run("export", folder["m"], "--out", folder["t.safetensors"], "--opset", "17").FailsWith(2, "--opset", "ONNX");
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

    private static byte[] Predict(Folder folder, string model)
    {
        Gsrnn.Run("predict", folder[model], "--data", "npy", "--x", folder["x.npy"], "--out", folder["y-" + model], "-q").Succeeds();
        return File.ReadAllBytes(folder["y-" + model]);
    }

    private static void Train(Folder folder, string cell, params string[] more)
    {
        string[] network = ["--cell", cell, "--hidden", "3", "--epochs", "1", "--device", "host", "-q", "--out", folder["m"]];
        Gsrnn.Run(["train", .. folder.Npy(6), .. network, .. more]).Succeeds();
    }
}
