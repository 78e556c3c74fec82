using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>The verb prune.</summary>
public class PruneTests
{
    [Fact]
    public void JsonHasTheContractsKeysAndTheModelIsSmaller()
    {
        using Folder folder = new();
        string[] data = Train(folder);
        string[] call = ["prune", folder["m"], .. data, "--holdout", "10", "--keep", "3", "--criterion", "auto", "--refine", "5", "--out", folder["s"], "--json"];
        JsonElement json = Gsrnn.Run(call).Succeeds().Json;
        Assert.Equal("spectral", json.GetProperty("method").GetString());
        Assert.Equal([5], Numbers(json.GetProperty("hidden").GetProperty("before")));
        Assert.Equal([3], Numbers(json.GetProperty("hidden").GetProperty("after")));
        Assert.Equal(125, json.GetProperty("parameters").GetProperty("before").GetInt32());
        Assert.Equal((6 * 3) + (3 * 3) + 6 + (10 * 3) + 10, json.GetProperty("parameters").GetProperty("after").GetInt32());
        Assert.Equal((6 * 3) + (3 * 3), json.GetProperty("flopsPerStep").GetProperty("after").GetInt32());
        Assert.Equal(3, json.GetProperty("kept")[0].GetArrayLength());
        Assert.True(json.GetProperty("inputLoss")[0].GetDouble() >= 0);
        Assert.True(json.GetProperty("outputLoss")[0].GetDouble() >= 0);
        Assert.Equal("accuracy", json.GetProperty("metric").GetProperty("name").GetString());
        Assert.True(json.GetProperty("parity").GetDouble() < 1e-4);
        Assert.True(json.GetProperty("candidates").GetArrayLength() >= 24);
        JsonElement refinement = json.GetProperty("refinement"), inputs = json.GetProperty("inputs");
        Assert.Equal(20, inputs.GetProperty("fitted").GetInt32() + inputs.GetProperty("chosenBy").GetInt32() + inputs.GetProperty("judgedBy").GetInt32());
        Assert.All(refinement.GetProperty("runs").EnumerateArray(), run => Assert.Equal(5, run.GetProperty("steps").GetInt32()));
        Assert.Equal(JsonValueKind.Null, Gsrnn.Run([.. call.Select(word => word == "5" ? "off" : word)]).Succeeds().Json.GetProperty("refinement").ValueKind);
        JsonElement small = Gsrnn.Run(["eval", folder["s"], .. data, "--json"]).Succeeds().Json;
        Assert.Equal([3], Numbers(small.GetProperty("hidden")));
    }

    [Theory]
    [InlineData("spectral", "--criterion", "adjoint")]
    [InlineData("spectral", "--criterion", "paper", "--theta", "0.3", "--select", "swap")]
    [InlineData("adjoint", "--select", "greedy")]
    [InlineData("paper-without", "--theta", "0.3")]
    [InlineData("random")]
    [InlineData("random-without")]
    [InlineData("magnitude-unit", "--no-reconstruction")]
    [InlineData("iss-gm")]
    [InlineData("iss-gm-without", "--round-to", "2")]
    [InlineData("magnitude-weight")]
    [InlineData("random-weight")]
    [InlineData("column")]
    [InlineData("low-rank")]
    public void EveryMethodWritesAModelThatEvalReads(string method, params string[] options)
    {
        using Folder folder = new();
        string[] data = Train(folder);
        string[] call = ["prune", folder["m"], .. data, "--method", method, "--fraction", "0.5", "--out", folder["s"], .. options, "-q"];
        Outcome outcome = Gsrnn.Run(call).Succeeds();
        Assert.Contains("sliced against masked network", outcome.Out);
        Gsrnn.Run(["eval", folder["s"], .. data]).Succeeds();
    }

    [Fact]
    public void FineTuningKeepsTheMaskOfAModelFile()
    {
        using Folder folder = new();
        string[] data = Train(folder);
        Gsrnn.Run(["prune", folder["m"], .. data, "--method", "magnitude-weight", "--keep", "3", "--out", folder["s"], "-q"]).Succeeds();
        Gsrnn.Run(["train", .. data, "--init", folder["s"], "--epochs", "2", "--batch", "8", "--out", folder["t"], "-q"]).Succeeds();
        float[] before = Weights(folder["s"]), after = Weights(folder["t"]);
        Assert.Equal(9, before.Count(w => w != 0));
        Assert.Equal(before.Select(w => w == 0), after.Select(w => w == 0));
        Assert.NotEqual(before, after);

        string[] call = ["prune", folder["m"], .. data, "--method", "column", "--keep", "3", "--fine-tune", "1", "--out", folder["u"], "--holdout", "10", "--json"];
        Assert.InRange(Gsrnn.Run(call).Succeeds().Json.GetProperty("metric").GetProperty("fineTuned").GetDouble(), 0, 1);
        Assert.Equal(15, Weights(folder["u"]).Count(w => w != 0));

        static float[] Weights(string path) => SafetensorsFile.Read(path).Find("rnn.weight_hh_l0")!.As<float>();
    }

    [Fact]
    public void ElmanNetworksToBeTrainedFurtherKeepTheirUnitsAsTheyAre()
    {
        using Folder folder = new();
        string[] data = Train(folder), call = ["prune", folder["m"], .. data, "--keep", "3", "--fine-tune", "1", "--holdout", "10", "--json"];
        Assert.Equal(0, Gsrnn.Run([.. call, "--out", folder["s"]]).Succeeds().Json.GetProperty("candidates").GetArrayLength());
        Assert.NotEqual(0, Gsrnn.Run([.. call, "--criterion", "auto", "--out", folder["s"]]).Succeeds().Json.GetProperty("candidates").GetArrayLength());
    }

    [Fact]
    public void ATolerance()
    {
        using Folder folder = new();
        string[] data = Train(folder);
        string[] call = ["prune", folder["m"], .. data, "--holdout", "10", "--criterion", "adjoint", "--out", folder["s"], "--json"];
        Assert.Equal([1], Numbers(Gsrnn.Run([.. call, "--tolerance", "1", "--tolerance-on", "metric", "--refine", "5"]).Succeeds().Json.GetProperty("hidden").GetProperty("after")));
        Assert.Equal([1], Numbers(Gsrnn.Run([.. call, "--tolerance", "9", "--refine", "5"]).Succeeds().Json.GetProperty("hidden").GetProperty("after")));
        Assert.Equal([5], Numbers(Gsrnn.Run([.. call, "--tolerance", "0", "--refine", "5"]).Succeeds().Json.GetProperty("hidden").GetProperty("after")));
    }

    [Fact]
    public void WrongCallsAreRefusedNamingTheOption()
    {
        using Folder folder = new();
        string[] data = Train(folder), call = ["prune", folder["m"], .. data, "--out", folder["s"]];
        Gsrnn.Run(call).FailsWith(2, "--keep", "--fraction");
        Gsrnn.Run([.. call, "--keep", "0"]).FailsWith(2, "--keep 0");
        Gsrnn.Run([.. call, "--keep", "2x2"]).FailsWith(2, "--keep", "1 layers");
        Gsrnn.Run([.. call, "--keep", "few"]).FailsWith(2, "--keep few");
        Gsrnn.Run([.. call, "--keep", "2", "--fine-tune=-1"]).FailsWith(2, "--fine-tune -1");
        Gsrnn.Run([.. call, "--keep", "2", "--fine-tune-lr", "0.1"]).FailsWith(2, "--fine-tune-lr belongs to");
        Gsrnn.Run([.. call, "--keep", "6"]).FailsWith(2, "--keep 6", "1 to 5");
        Gsrnn.Run([.. call, "--keep", "2", "--fraction", "0.5"]).FailsWith(2, "one way");
        Gsrnn.Run([.. call, "--keep", "2", "--method", "magic"]).FailsWith(2, "--method magic", "adjoint", "spectral");
        Gsrnn.Run([.. call, "--keep", "2", "--method", "scratch"]).FailsWith(2, "--method scratch", "train");
        Gsrnn.Run([.. call, "--keep", "2", "--method", "adjoint", "--criterion", "paper"]).FailsWith(2, "--criterion belongs to");
        Gsrnn.Run([.. call, "--keep", "2", "--criterion", "magic"]).FailsWith(2, "--criterion magic");
        Gsrnn.Run([.. call, "--keep", "2", "--theta", "0.5"]).FailsWith(2, "--theta belongs to");
        Gsrnn.Run([.. call, "--keep", "2", "--criterion", "paper", "--theta", "2"]).FailsWith(2, "--theta 2");
        Gsrnn.Run([.. call, "--keep", "2", "--method", "low-rank", "--no-reconstruction"]).FailsWith(2, "--no-reconstruction belongs to");
        Gsrnn.Run([.. call, "--keep", "2", "--refine=-1"]).FailsWith(2, "--refine -1");
        Gsrnn.Run([.. call, "--keep", "2", "--refine", "0s"]).FailsWith(2, "--refine 0s");
        Gsrnn.Run([.. call, "--keep", "2", "--tolerance-on", "kl"]).FailsWith(2, "--tolerance-on");
        Gsrnn.Run([.. call, "--tolerance", "1", "--tolerance-on", "loss"]).FailsWith(2, "--tolerance-on loss");
        Gsrnn.Run([.. call, "--keep", "2", "--limit", "1"]).FailsWith(2, "1 calibration sequence");
        Assert.False(File.Exists(folder["s"]));
    }

    private static string[] Train(Folder folder)
    {
        string[] data = folder.Idx(30);
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        return data;
    }

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];
}
