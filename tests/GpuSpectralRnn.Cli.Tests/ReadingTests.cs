using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Readers of texts: every verb, from training to an answer.</summary>
public sealed class ReadingTests : IDisposable
{
    private static readonly string[] Data = ["--data", "reading", "--limit", "60"];
    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AReaderIsTrainedMeasuredAskedAndPruned()
    {
        string model = Train("m", "--average", "0.9", "--optimizer", "adadelta", "--report", folder["train.html"]);
        Assert.Contains("exact-match", File.ReadAllText(folder["train.html"]));
        Assert.Equal(4, Assert.IsType<BidafRecipe>(ModelFile.LoadRecipe(model)).Units["encoder"]);

        JsonElement json = Gsrnn.Run(["eval", model, .. Data, "--json"]).Succeeds().Json;
        Assert.Equal("exact-match", json.GetProperty("metric").GetString());
        Assert.InRange(json.GetProperty("f1").GetDouble(), json.GetProperty("value").GetDouble(), 1);

        Gsrnn.Run(["predict", model, .. Data, "--out", folder["answers.json"]]).Succeeds();
        Dictionary<string, string> answers = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(folder["answers.json"]))!;
        Assert.Equal(60, answers.Count);
        Assert.All(answers, pair => Assert.True(pair.Key.StartsWith("test-1-", StringComparison.Ordinal) && pair.Value.Length > 0));

        File.WriteAllText(folder["text.txt"], "Anna gave the lamp to Boris in Oslo on Monday. Boris sold the clock to Clara.");
        json = Gsrnn.Run("answer", model, "--context", folder["text.txt"], "--question", "Who gave the lamp to Boris?", "--json").Succeeds().Json;
        Assert.Contains(json.GetProperty("answer").GetString()!, File.ReadAllText(folder["text.txt"]));
        Assert.InRange(json.GetProperty("probability").GetDouble(), 0, 1);

        json = Gsrnn.Run(["prune", model, .. Data, "--keep", "2x2x2x2x3x2", "--criterion", "adjoint", "--refine", "20", "--out", folder["s"], "--json"]).Succeeds().Json;
        Assert.InRange(json.GetProperty("parity").GetDouble(), 0, 1e-3); // scores of about ten
        Assert.Equal([2, 2, 2, 2, 3, 2], json.GetProperty("hidden").GetProperty("after").EnumerateArray().Select(size => size.GetInt32()));
        Assert.IsType<BidafRecipe>(ModelFile.LoadRecipe(folder["s"]));
        Gsrnn.Run("answer", folder["s"], "--context", folder["text.txt"], "--question", "Who gave the lamp to Boris?").Succeeds();

        json = Gsrnn.Run(["spectrum", model, .. Data, "--json"]).Succeeds().Json;
        Assert.Contains("model0", json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("l0")]
    [InlineData("iss")]
    public void AReaderIsPrunedWhileItTrains(string method)
    {
        string model = Train("m");
        JsonElement json = Gsrnn.Run(
            ["train", .. Data, "--init", model, "--method", method, "--target-fraction", "0.5", "--epochs", "2", "--out", folder["s"], "--report", folder["r.html"], "--json"])
            .Succeeds().Json;
        Assert.InRange(json.GetProperty("pruning").GetProperty("parity").GetDouble(), 0, 1e-3);
        Assert.True(json.GetProperty("parameters").GetInt64() < ModelFile.LoadRecipe(model).Build().ParameterCount);
        Gsrnn.Run(["eval", folder["s"], .. Data]).Succeeds();
    }

    [Fact]
    public void MethodsAreComparedOnAReader()
    {
        string model = Train("m");
        JsonElement json = Gsrnn.Run(
            ["compare", .. Data, "--model", model, "--methods", "adjoint,magnitude-unit,random,scratch", "--keep", "2x2x2x2x4x4", "--epochs", "1", "--json"]).Succeeds().Json;
        Assert.Equal("exact-match", json.GetProperty("metric").GetString());
        Assert.Equal(5, json.GetProperty("rows").GetArrayLength());
    }

    [Fact]
    public void SquadsFilesAreReadWithTheirOddities()
    {
        string questions = Squad("train.json", 12);
        string call = Gsrnn.Run(["train", "--data", "squad", "--train", questions, "--test", questions, "--hidden", "3", "--epochs", "1", "--batch", "4",
            "--context-length", "9", "--vectors", Vectors("v.txt", 3), "--fix-vectors", "--out", folder["m"]]).Succeeds().Error;

        Assert.Contains("widened", call);
        Assert.Contains("not where it says", call);
        Assert.Contains("odd-misplaced", call);
        Assert.Contains("without words", call);
        Assert.Contains("beyond the first 9 words", call);
        JsonElement json = Gsrnn.Run("eval", folder["m"], "--data", "squad", "--test", questions, "--json").Succeeds().Json;
        Assert.Equal(14, json.GetProperty("sequences").GetInt32());
        Gsrnn.Run("predict", folder["m"], "--data", "squad", "--test", questions, "--out", folder["a.json"]).Succeeds();
        Assert.Contains("odd-misplaced", File.ReadAllText(folder["a.json"]));
    }

    [Fact]
    public void WhatItCannotReadIsRefusedInOneLine()
    {
        string model = Train("m"), questions = Squad("q.json", 3);
        File.WriteAllText(folder["empty.txt"], " ");
        File.WriteAllText(folder["text.txt"], "A text.");
        File.WriteAllText(folder["bad.json"], "{\"data\":[\n{]}");
        string[] squad = ["train", "--data", "squad", "--hidden", "3", "--epochs", "1", "--out", folder["n"]];
        Gsrnn.Run("answer", model, "--context", folder["text.txt"], "--question", " ").FailsWith(2, "--question");
        Gsrnn.Run("answer", model, "--context", folder["empty.txt"], "--question", "Who?").FailsWith(2, "--context");
        Gsrnn.Run([.. squad, "--train", folder["bad.json"]]).FailsWith(1, "line 2");
        Gsrnn.Run([.. squad, "--train", questions, "--vectors", Vectors("v.txt", 5)]).FailsWith(2, "--embedding", "5 numbers");
        Gsrnn.Run([.. squad, "--train", questions, "--fix-vectors"]).FailsWith(2, "--vectors");
        Gsrnn.Run([.. squad, "--train", questions, "--bidirectional"]).FailsWith(2, "--bidirectional");
        Gsrnn.Run([.. squad, "--train", questions, "--hidden", "3,4"]).FailsWith(2, "--hidden");
        Gsrnn.Run([.. squad]).FailsWith(2, "--train");
        Gsrnn.Run("eval", model, "--data", "digits").FailsWith(2);
        Gsrnn.Run(["train", .. Data, "--hidden", "3", "--average", "1", "--out", folder["n"]]).FailsWith(2, "--average");
        Gsrnn.Run("export", model, "--out", folder["m.onnx"]).FailsWith(2);
    }

    private string Train(string name, params string[] more)
    {
        Gsrnn.Run(["train", .. Data, "--hidden", "4", "--embedding", "5", "--spelling", "4", "--epochs", "1", "--batch", "10", .. more, "--out", folder[name]]).Succeeds();
        return folder[name];
    }

    private string Vectors(string name, int width)
    {
        File.WriteAllLines(folder[name], [$"the {string.Join(' ', Enumerable.Repeat("0.5", width))}", $"lamp {string.Join(' ', Enumerable.Repeat("-1", width))}"]);
        return folder[name];
    }

    // So many sound questions, and four odd ones.
    private string Squad(string name, int count)
    {
        const string text = "The  \u201cred\u201d lamp of Anna\u2014a cafe\u0301 owner\u2014stood in the 1990s near Oslo.";
        object[] sound = [.. Enumerable.Range(0, count).Select(i => Question($"q{i}", $"Who is number {i}?", "Anna"))];
        object[] odd =
        [
            Question("odd-widened", "When?", "1990"), Question("odd-beyond", "Where?", "Oslo"),
            new { id = "odd-misplaced", question = "What?", answers = new[] { new { text = "lamp", answer_start = 3 } } },
            new { id = "odd-blank", question = "  ", answers = new[] { new { text = "lamp", answer_start = 11 } } },
        ];
        object[] used = count > 10 ? [.. sound, odd[0], odd[2], odd[3]] : [.. sound, .. odd];
        File.WriteAllText(folder[name], JsonSerializer.Serialize(new { version = "1.1", data = new[] { new { paragraphs = new[] { new { context = text, qas = used } } } } }));
        return folder[name];

        static object Question(string id, string question, string answer) =>
            new { id, question, answers = new[] { new { text = answer, answer_start = text.IndexOf(answer, StringComparison.Ordinal) } } };
    }
}
