using System.Text;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Verbs that apply a model: eval, predict, import.</summary>
public class ModelTests
{
    [Fact]
    public void EvalJsonHasTheContractsKeys()
    {
        using Folder folder = new();
        string[] data = Train(folder, "m");
        Outcome outcome = Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Succeeds();
        JsonElement json = outcome.Json;
        Assert.Equal("accuracy", json.GetProperty("metric").GetString());
        Assert.InRange(json.GetProperty("value").GetDouble(), 0, 1);
        Assert.True(json.GetProperty("loss").GetDouble() > 0);
        Assert.Equal(30, json.GetProperty("sequences").GetInt32());
        Assert.Equal(125, json.GetProperty("parameters").GetInt32());
        Assert.Equal([5], json.GetProperty("hidden").EnumerateArray().Select(e => e.GetInt32()));
        JsonElement standard = Gsrnn.Run("devices", "--json").Json.GetProperty("devices").EnumerateArray().Single(d => d.GetProperty("default").GetBoolean());
        Assert.Equal(standard.GetProperty("id").GetString(), json.GetProperty("device").GetString());
        Assert.Equal("", outcome.Error);
    }

    [Fact]
    public void PredictWritesLogitsThatAgreeWithEval()
    {
        using Folder folder = new();
        string[] data = Train(folder, "m");
        Gsrnn.Run(["predict", folder["m"], .. data, "--out", folder["y.npy"], "-q"]).Succeeds();
        Gsrnn.Run(["predict", folder["m"], .. data, "--out", folder["again.npy"], "--batch", "7", "-q"]).Succeeds();
        byte[] bytes = File.ReadAllBytes(folder["y.npy"]);
        int headerLength = BitConverter.ToUInt16(bytes, 8);
        Assert.Contains("(30, 10)", Encoding.ASCII.GetString(bytes, 10, headerLength));
        float[] logits = [.. Enumerable.Range(0, 300).Select(i => BitConverter.ToSingle(bytes, 10 + headerLength + (4 * i)))];
        int correct = Enumerable.Range(0, 30).Count(n => Array.IndexOf(logits, logits.Skip(10 * n).Take(10).Max(), 10 * n, 10) - (10 * n) == n % 3);
        double accuracy = Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Json.GetProperty("value").GetDouble();
        Assert.Equal(correct / 30.0, accuracy, 9);
        Assert.Equal(bytes, File.ReadAllBytes(folder["again.npy"]));
    }

    [Fact]
    public void TheModelRemembersItsView()
    {
        using Folder folder = new();
        string[] data = Train(folder, "m", "--view", "pixel");
        Gsrnn.Run(["eval", folder["m"], .. data]).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. data, "--view", "row"]).FailsWith(2, "6 inputs", "takes 1");
    }

    [Fact]
    public void DataThatDoNotFitAreRefusedNamingBoth()
    {
        using Folder folder = new();
        Train(folder, "m");
        Gsrnn.Run(["eval", folder["m"], .. folder.Idx(9, size: 8, stem: "other")]).FailsWith(2, "8 inputs", "takes 6");
        Gsrnn.Run(["eval", folder["m"], .. folder.Npy(4)]).FailsWith(2, "2 inputs", "takes 6");
        Gsrnn.Run(["train", .. folder.Npy(4), "--init", folder["m"], "--out", folder["n"]]).FailsWith(2, "2 inputs", "takes 6");
    }

    [Fact]
    public void HoldOutAndTestFilesMakeTheSplits()
    {
        using Folder folder = new();
        string[] data = Train(folder, "m");
        folder.Idx(6, stem: "test");
        string[] test = ["--test-images", folder["test-images"], "--test-labels", folder["test-labels"]];
        Assert.Equal(30, Sequences([]));
        Assert.Equal(8, Sequences(["--holdout", "8"]));
        Assert.Equal(8, Sequences(["--holdout", "8", "--split", "test"]));
        Assert.Equal(22, Sequences(["--holdout", "8", "--split", "train"]));
        Assert.Equal(5, Sequences(["--holdout", "8", "--split", "train", "--limit", "5"]));
        Assert.Equal(6, Sequences([.. test]));
        Assert.Equal(8, Sequences([.. test, "--holdout", "8", "--split", "valid"]));
        Gsrnn.Run(["eval", folder["m"], .. data, "--split", "valid"]).FailsWith(2, "--split valid", "--holdout");
        Gsrnn.Run(["eval", folder["m"], .. data, "--split", "test"]).FailsWith(2, "--split test", "--holdout");
        Gsrnn.Run(["eval", folder["m"], .. data, "--test-images", folder["test-images"]]).FailsWith(2, "--test-labels");

        int Sequences(string[] more) =>
            Gsrnn.Run(["eval", folder["m"], .. data, .. more, "--json"]).Succeeds().Json.GetProperty("sequences").GetInt32();
    }

    [Fact]
    public void PredictNeedsNoLabelsButEvalDoes()
    {
        using Folder folder = new();
        string[] labelled = folder.Npy(10);
        Gsrnn.Run(["train", .. labelled, "--hidden", "3", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        string[] bare = labelled[..4];
        Gsrnn.Run(["predict", folder["m"], .. bare, "--out", folder["y.npy"], "-q"]).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. bare]).FailsWith(2, "no targets");
        Gsrnn.Run(["train", .. bare, "--out", folder["n"]]).FailsWith(2, "no targets");
    }

    [Fact]
    public void ImportTakesAPlainStateDict()
    {
        using Folder folder = new();
        WriteStateDict(folder["torch.safetensors"]);
        JsonElement json = Gsrnn.Run("import", folder["torch.safetensors"], "--cell", "rnn-tanh", "--out", folder["m"], "--json").Succeeds().Json;
        Assert.Equal(2, json.GetProperty("inputs").GetInt32());
        Assert.Equal(2, json.GetProperty("outputs").GetInt32());
        Assert.Equal((3 * (2 + 3 + 2)) + (2 * (3 + 1)), json.GetProperty("parameters").GetInt32());
        Gsrnn.Run(["eval", folder["m"], .. folder.Npy(4)]).Succeeds();
        Gsrnn.Run("import", folder["torch.safetensors"], "--cell", "elman", "--out", folder["m"]).FailsWith(2, "elman", "rnn-tanh");
        Gsrnn.Run("import", folder["torch.safetensors"], "--cell", "lstm", "--out", folder["m"]).FailsWith(2, "not that of the cell lstm");
        Gsrnn.Run(["eval", folder["torch.safetensors"], .. folder.Npy(4)]).FailsWith(2, "import");
    }

    // nn.RNN(2, 3) and nn.Linear(3, 2), all weights zero.
    private static void WriteStateDict(string path)
    {
        (string Name, int[] Shape)[] tensors =
        [
            ("rnn.weight_ih_l0", [3, 2]), ("rnn.weight_hh_l0", [3, 3]), ("rnn.bias_ih_l0", [3]), ("rnn.bias_hh_l0", [3]),
            ("fc.weight", [2, 3]), ("fc.bias", [2]),
        ];
        int offset = 0;
        List<string> entries = [];
        foreach ((string name, int[] shape) in tensors)
        {
            int end = offset + (4 * shape.Aggregate(1, (a, b) => a * b));
            entries.Add($"\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(",", shape)}],\"data_offsets\":[{offset},{end}]}}");
            offset = end;
        }

        byte[] header = Encoding.ASCII.GetBytes("{" + string.Join(",", entries) + "}");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[offset]]);
    }

    private static string[] Train(Folder folder, string name, params string[] more)
    {
        string[] data = folder.Idx(30);
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--out", folder[name], "-q", .. more]).Succeeds();
        return data;
    }
}
