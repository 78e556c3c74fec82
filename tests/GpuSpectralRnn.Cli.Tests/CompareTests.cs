using System.Diagnostics;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>The verb compare.</summary>
public class CompareTests
{
    private static readonly string[] Small = ["compare", "--hidden", "5", "--epochs", "1", "--batch", "8", "--holdout", "10", "--device", "host"];

    private static readonly string[] Keys =
    [
        "method", "keep", "value", "std", "fineTuned", "fineTunedStd", "inputHidden", "hiddenHidden", "hiddenOutput", "multiplyAddsPerStep",
        "msPerSequence", "seeds",
    ];

    [Fact]
    public void JsonAndFilesHaveARowForEveryMethodAndSize()
    {
        using Folder folder = new();
        string[] files = ["--report", folder["r.html"], "--markdown", folder["t.md"], "--csv", folder["t.csv"]];
        string[] call = [.. Small, .. folder.Idx(40), "--keep", "2,3", "--seeds", "2", "--fine-tune", "1", "--refine", "2", .. files, "--json", "-q"];
        Outcome outcome = Gsrnn.Run(call).Succeeds();
        Assert.Equal("", outcome.Error);
        Assert.Equal("accuracy", outcome.Json.GetProperty("metric").GetString());
        Assert.True(outcome.Json.GetProperty("isComplete").GetBoolean());
        JsonElement[] rows = [.. outcome.Json.GetProperty("rows").EnumerateArray()];
        Assert.Equal(1 + (2 * MethodSpec.All.Count), rows.Length);
        foreach (JsonElement row in rows)
        {
            Assert.Equal(Keys, row.EnumerateObject().Select(property => property.Name));
            Assert.Equal(2, row.GetProperty("seeds").GetInt32());
            Assert.InRange(row.GetProperty("value").GetDouble(), 0, 1);
            Assert.InRange(row.GetProperty("fineTuned").GetDouble(), 0, 1);
        }

        Assert.Equal(5, rows[0].GetProperty("keep").GetInt32());
        Assert.Equal(["baseline", "scratch", "auto", "auto-refined"], rows.Take(4).Select(row => row.GetProperty("method").GetString()!));
        string[] csv = File.ReadAllLines(folder["t.csv"]);
        Assert.Equal(string.Join(',', Keys), csv[0]);
        Assert.Equal(1 + rows.Length, csv.Length);
        Assert.Equal(2 + rows.Length, File.ReadAllLines(folder["t.md"]).Count(line => line.StartsWith("| ", StringComparison.Ordinal)));
        string page = File.ReadAllText(folder["r.html"]);
        Assert.Contains("<svg", page);
        Assert.Contains("magnitude-unit-without", page);
        Assert.Contains("gsrnn compare --hidden 5", page);
    }

    [Fact]
    public void ModelsThatAreGivenAreNotTrained()
    {
        using Folder folder = new();
        string[] data = [.. folder.Idx(40), "--holdout", "10"];
        foreach (string seed in new[] { "1", "2" })
            Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--seed", seed, "--out", folder[$"m{seed}"], "-q"]).Succeeds();
        string[] call = ["compare", .. data, "--methods", "random,adjoint", "--keep", "3", "--model", folder["m1"], folder["m2"], "--json"];
        Outcome outcome = Gsrnn.Run(call).Succeeds();
        JsonElement[] rows = [.. outcome.Json.GetProperty("rows").EnumerateArray()];
        Assert.Equal(["baseline", "adjoint", "random"], rows.Select(row => row.GetProperty("method").GetString()!));
        Assert.DoesNotContain("epoch", outcome.Error);
        double[] alone =
        [
            .. new[] { "m1", "m2" }.Select(name => Gsrnn.Run(["eval", folder[name], .. data, "--split", "valid", "--json"]).Json.GetProperty("value").GetDouble()),
        ];
        Assert.Equal(alone.Average(), rows[0].GetProperty("value").GetDouble(), 9);
        Assert.Equal(JsonValueKind.Null, rows[0].GetProperty("fineTuned").ValueKind);
    }

    [Fact]
    public void WrongCallsAreRefusedBeforeAnyWork()
    {
        using Folder folder = new();
        string[] data = folder.Idx(30), call = [.. Small, .. data];
        Gsrnn.Run(call).FailsWith(2, "--keep");
        Gsrnn.Run([.. call, "--keep", "0"]).FailsWith(2, "--keep 0");
        Gsrnn.Run([.. call, "--keep", "6"]).FailsWith(2, "--keep 6", "1 to 5");
        Gsrnn.Run([.. call, "--keep", "3x2"]).FailsWith(2, "--keep", "1 layers");
        Gsrnn.Run([.. call, "--keep", "many"]).FailsWith(2, "--keep many", "64x32");
        Gsrnn.Run([.. call, "--keep", "3", "--refine", "0"]).FailsWith(2, "--refine off");
        Gsrnn.Run([.. call, "--keep", "3", "--refine", "long"]).FailsWith(2, "--refine long", "20s");
        Gsrnn.Run([.. call, "--keep", "3", "--methods", "random,magic"]).FailsWith(2, "--methods magic", "low-rank");
        Gsrnn.Run([.. call, "--keep", "3", "--seeds", "0"]).FailsWith(2, "--seeds 0");
        Gsrnn.Run([.. call, "--keep", "3", "--fine-tune=-1"]).FailsWith(2, "--fine-tune -1");
        Gsrnn.Run([.. call, "--keep", "3", "--fine-tune-lr", "0.1"]).FailsWith(2, "--fine-tune-lr belongs to");
        Gsrnn.Run([.. call, "--keep", "3", "--report", folder["none/r.html"]]).FailsWith(2, "--report");
        Gsrnn.Run([.. call, "--keep", "3", "--model", folder["m"]]).FailsWith(2, "--model", "--hidden");
        Gsrnn.Run(["compare", .. data, "--keep", "3", "--model", folder["m"]]).FailsWith(2, folder["m"]);
        Gsrnn.Run(["compare", .. data, "--hidden", "5", "--keep", "3"]).FailsWith(2, "--holdout");
    }

    [Fact]
    public void RegressionsBidirectionalNetworksAndSizesPerLayer()
    {
        using Folder folder = new();
        string[] adding = ["compare", "--data", "adding", "--length", "6", "--limit", "60", "--cell", "gru", "--hidden", "4,3", "--readout", "mean"];
        string[] call = [.. adding, "--epochs", "1", "--bidirectional", "--keep", "3x2", "--refine", "1", "--report", folder["r"], "--json"];
        Outcome outcome = Gsrnn.Run(call).Succeeds();
        Assert.Equal("mse", outcome.Json.GetProperty("metric").GetString());
        JsonElement[] rows = [.. outcome.Json.GetProperty("rows").EnumerateArray()];
        Assert.Equal("4x3", rows[0].GetProperty("keep").GetString());
        Assert.Equal("3x2", rows[1].GetProperty("keep").GetString());
        Assert.DoesNotContain("low-rank", rows.Select(row => row.GetProperty("method").GetString()));
        Assert.Contains("low-rank is left out", outcome.Error);
        Assert.Contains("Smaller values of mse are better", File.ReadAllText(folder["r"]));
    }

    [Fact]
    public void CtrlCPrintsTheRowsThatAreComplete()
    {
        using Folder folder = new();
        string[] data = folder.Idx(300);
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        string[] call = ["compare", .. data, "--holdout", "10", "--model", folder["m"], "--keep", "3", "--methods", "random,scratch", "--epochs", "1000000", "--json"];
        using Process process = Gsrnn.Start(folder.Path, call);
        string seen = "";
        while (!seen.Contains("baseline") && process.StandardError.ReadLine() is { } line) seen += line + "\n";
        Gsrnn.Interrupt(process);
        Outcome outcome = Gsrnn.Finish(process);

        Assert.Equal(1, outcome.Code);
        Assert.Contains("Stopped after 1 of 3 networks", outcome.Error);
        Assert.False(outcome.Json.GetProperty("isComplete").GetBoolean());
        Assert.Equal("baseline", Assert.Single(outcome.Json.GetProperty("rows").EnumerateArray()).GetProperty("method").GetString());
    }
}
