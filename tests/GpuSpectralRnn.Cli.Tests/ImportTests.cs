using System.Text;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>State dicts of PyTorch, from the file to the verbs that use the model.</summary>
public class ImportTests
{
    /// <summary>
    /// A tied language model, of which the file keeps one name:
    /// <code>
    /// import numpy as np
    /// def fill(k, *s): return (0.9 * np.sin(1.3 * np.arange(np.prod(s)) + k)).astype('f4').astype('f8').reshape(s)
    /// E, w, u, b, c, d = fill(0, 5, 3), fill(1, 3, 3), fill(2, 3, 3), fill(3, 3), fill(4, 3), fill(5, 5)
    /// words = ['&lt;eos&gt;', 'cat', 'the', 'sat', '&lt;unk&gt;']
    /// t = [words.index(x) if x in words else 4 for x in 'the cat sat &lt;eos&gt; the dog sat &lt;eos&gt;'.split()]; h = np.zeros(3); loss = 0
    /// for now, then in zip(t, t[1:]):
    ///     h = np.tanh(w @ E[now] + b + u @ h + c); y = E @ h + d; loss += np.log(np.exp(y).sum()) - y[then]
    /// print(np.exp(loss / 7))
    /// </code>
    /// </summary>
    [Fact]
    public void ATiedLanguageModelIsUsedWithItsWords()
    {
        using Folder folder = new();
        string text = folder.Text("text", "the cat sat\nthe dog sat\n"), words = folder.Text("words", "<eos>\ncat\nthe\nsat\n<unk>\n");
        WriteLanguageModel(folder["torch"]);
        string[] import = ["import", folder["torch"], "--cell", "rnn-tanh", "--out", folder["m"]];
        Gsrnn.Run(import).FailsWith(2, "language model", "5 tokens", "--vocabulary");
        JsonElement json = Gsrnn.Run([.. import, "--vocabulary", words, "--json"]).Succeeds().Json;
        Assert.True(json.GetProperty("tiedWeights").GetBoolean());
        Assert.Equal(5, json.GetProperty("vocabulary").GetInt32());
        Assert.Equal("every", json.GetProperty("readout").GetString());

        string[] data = ["--data", "text", "--test", text, "--batch", "1"];
        double perplexity = Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Succeeds().Json.GetProperty("perplexity").GetDouble();
        Assert.Equal(6.2708800715652195, perplexity, 5e-6); // fp32, seven steps
        Gsrnn.Run("sample", folder["m"], "--prompt", "the cat", "--length", "3", "-q").Succeeds();
        string[] train = ["train", "--data", "text", "--train", text, "--batch", "1", "--epochs", "1"];
        Gsrnn.Run([.. train, "--init", folder["m"], "--out", folder["n"], "-q"]).Succeeds();
        Gsrnn.Run("sample", folder["n"], "--length", "3", "-q").Succeeds();
        Gsrnn.Run([.. import, "--vocabulary", folder.Text("few", "a\nb\n")]).FailsWith(2, "2 words", "knows 5");
    }

    [Fact]
    public void ALanguageModelOfCharactersNeedsNoneForWhatIsUnknown()
    {
        using Folder folder = new();
        string text = folder.Text("text", "abc\nd\nab\n");
        WriteLanguageModel(folder["torch"]);
        Gsrnn.Run("import", folder["torch"], "--cell", "rnn-tanh", "--vocabulary", text, "--unit", "char", "--out", folder["m"], "-q").Succeeds();
        string[] data = ["--data", "text", "--batch", "1"];
        Gsrnn.Run(["eval", folder["m"], .. data, "--test", text, "-q"]).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. data, "--test", folder.Text("other", "abx"), "-q"]).FailsWith(2, "'x'", "5 tokens");
        Gsrnn.Run("sample", folder["m"], "--prompt", "ab", "--length", "3", "-q").Succeeds();
    }

    [Fact]
    public void ImportSaysWhatItAssumed()
    {
        using Folder folder = new();
        (string, int[])[] forward = [("weight_ih_l0", [3, 2]), ("weight_hh_l0", [3, 3])], reverse = [.. forward.Select(t => (t.Item1 + "_reverse", t.Item2))];
        Write(folder["torch"], [.. forward, .. reverse, ("fc.weight", [1, 6])]);
        Outcome guessed = Gsrnn.Run("import", folder["torch"], "--cell", "rnn-tanh", "--out", folder["m"]).Succeeds();
        foreach (string said in (string[])["regression", "--task", "h_n", "out[:, -1]", "last-step", "real numbers"])
            Assert.Contains(said, guessed.Error + guessed.Out);
        string[] lastStep = ["--readout", "last-step", "--out", folder["n"], "--json"];
        JsonElement json = Gsrnn.Run(["import", folder["torch"], "--cell", "rnn-tanh", .. lastStep]).Succeeds().Json;
        Assert.Equal("regression", json.GetProperty("task").GetString());
        Assert.Equal("last-step", json.GetProperty("readout").GetString());
        Assert.True(json.GetProperty("bidirectional").GetBoolean());

        string x = folder.Npy("x.npy", [2, 4, 2], Enumerable.Range(0, 16).Select(i => MathF.Sin(i)));
        foreach (string model in (string[])["m", "n"])
            Gsrnn.Run("predict", folder[model], "--data", "npy", "--x", x, "--out", folder[$"{model}.npy"], "-q").Succeeds();
        Assert.NotEqual(File.ReadAllBytes(folder["m.npy"]), File.ReadAllBytes(folder["n.npy"]));
    }

    [Theory]
    [InlineData("lstm", "nn.RNN's", "rnn-tanh")]
    [InlineData("gru", "nn.RNN's", "rnn-relu")]
    public void AnotherCellIsNamed(string cell, string owner, string remedy)
    {
        using Folder folder = new();
        Write(folder["torch"], [("weight_ih_l0", [3, 2]), ("weight_hh_l0", [3, 3]), ("fc.weight", [2, 3])]);
        Gsrnn.Run("import", folder["torch"], "--cell", cell, "--out", folder["m"]).FailsWith(2, owner, remedy, $"not that of the cell {cell}");
    }

    [Fact]
    public void AGraphSaysItselfWhatItIs()
    {
        using Folder folder = new();
        string[] data = folder.Npy(6);
        Gsrnn.Run(["train", .. data, "--cell", "irnn", "--hidden", "3", "--epochs", "1", "--device", "host", "-q", "--out", folder["m"]]).Succeeds();
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"]).Succeeds();
        JsonElement json = Gsrnn.Run("import", folder["m.onnx"], "--out", folder["n"], "--json").Succeeds().Json;
        Assert.Equal("irnn", json.GetProperty("cell").GetString());
        Assert.InRange(json.GetProperty("maxDifference").GetDouble(), 0, 1e-5);
        Assert.Equal(File.ReadAllBytes(folder["m"]), File.ReadAllBytes(folder["n"]));

        Gsrnn.Run("import", folder["m.onnx"], "--cell", "rnn-relu", "--readout", "last", "--task", "classification", "--out", folder["n"]).Succeeds();
        Gsrnn.Run("import", folder["m.onnx"], "--cell", "gru", "--out", folder["n"]).FailsWith(2, "--cell", "gru");
        Gsrnn.Run("import", folder["m.onnx"], "--readout", "mean", "--out", folder["n"]).FailsWith(2, "MatMul readout_product", "mean");
        Gsrnn.Run("import", folder["m.onnx"], "--out", folder["m.onnx"]).FailsWith(2, "--out", "FILE");
        Gsrnn.Run("import", folder["m"], "--out", folder["n"]).FailsWith(2, "--cell", "lstm");
        folder.Truncate("m.onnx", 0.5);
        Gsrnn.Run("import", folder["m.onnx"], "--out", folder["n"]).FailsWith(1, "m.onnx");
    }

    [Fact]
    public void WordsGoThroughAGraph()
    {
        using Folder folder = new();
        string text = folder.Text("text", "the cat sat\nthe dog sat\n", 4);
        string[] model = ["--hidden", "3", "--embedding", "3", "--epochs", "1", "--bptt", "4", "--batch", "2", "--device", "host", "-q", "--out", folder["m"]];
        Gsrnn.Run(["train", "--data", "text", "--train", text, "--cell", "lstm", .. model]).Succeeds();
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--stateful").Succeeds();
        Gsrnn.Run("import", folder["m.onnx"], "--out", folder["n"]).Succeeds();
        Assert.Equal(File.ReadAllBytes(folder["m"]), File.ReadAllBytes(folder["n"]));
        Gsrnn.Run("import", folder["m.onnx"], "--vocabulary", text, "-q", "--out", folder["n"]).FailsWith(2, "one word to a line");
    }

    private static void WriteLanguageModel(string path) => Write(
        path,
        [
            ("decoder.weight", [5, 3]), ("rnn.weight_ih_l0", [3, 3]), ("rnn.weight_hh_l0", [3, 3]), ("rnn.bias_ih_l0", [3]), ("rnn.bias_hh_l0", [3]),
            ("decoder.bias", [5]),
        ],
        """{"encoder.weight":"decoder.weight","format":"pt"}""");

    // Tensor k holds 0.9 sin(1.3 i + k).
    private static void Write(string path, (string Name, int[] Shape)[] tensors, string metadata = "{}")
    {
        List<string> entries = [$"\"__metadata__\":{metadata}"];
        List<byte> data = [];
        foreach (((string name, int[] shape), int k) in tensors.Select((tensor, k) => (tensor, k)))
        {
            int begin = data.Count, count = shape.Aggregate(1, (a, b) => a * b);
            for (int i = 0; i < count; i++) data.AddRange(BitConverter.GetBytes((float)(0.9 * Math.Sin((1.3 * i) + k))));
            entries.Add($"\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(",", shape)}],\"data_offsets\":[{begin},{data.Count}]}}");
        }

        byte[] header = Encoding.ASCII.GetBytes("{" + string.Join(",", entries) + "}");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. data]);
    }
}
