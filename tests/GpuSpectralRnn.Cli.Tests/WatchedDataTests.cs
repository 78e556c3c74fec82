using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Which data a run sees: by which seed they are drawn, and which of them are watched or judged by.</summary>
public class WatchedDataTests
{
    [Fact]
    public void TrainSaysWhatIsWatched()
    {
        using Folder folder = new();
        Assert.Equal(JsonValueKind.Null, Watched(folder, folder.Idx(12), ""));
        folder.Idx(6, stem: "test");
        string[] data = [.. folder.Idx(12), "--test-images", folder["test-images"], "--test-labels", folder["test-labels"]];
        Watched(folder, data, "split test");
        Watched(folder, [.. data, "--holdout", "4"], "split valid");
    }

    [Fact]
    public void TheDataSeedMovesTheDataAlone()
    {
        using Folder folder = new();
        float[] plain = Weights("a", "--seed", "1"), same = Weights("b", "--seed", "1", "--data-seed", "1"), other = Weights("c", "--seed", "1", "--data-seed", "2");
        Assert.Equal(plain, same);
        Assert.NotEqual(plain, other);
        Gsrnn.Run(["train", .. folder.Npy(4), "--data-seed", "2", "--out", folder["d"]]).FailsWith(2, "--data-seed", "digits");

        float[] Weights(string name, params string[] seeds)
        {
            string[] call = ["train", "--data", "adding", "--length", "4", "--limit", "32", "--hidden", "2", "--epochs", "1", "--device", "host", "--quiet"];
            Gsrnn.Run([.. call, "--out", folder[name], .. seeds]).Succeeds();
            return SafetensorsFile.Read(folder[name]).Find("rnn.weight_hh_l0")!.As<float>();
        }
    }

    [Fact]
    public void PruneMeasuresOnTheTrainingDataWhereThereAreNoOthers()
    {
        using Folder folder = new();
        string[] data = folder.Idx(30), call = ["prune", folder["m"], .. data, "--keep", "3", "--criterion", "adjoint", "--refine", "5", "--device", "host", "--quiet"];
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--device", "host", "--out", folder["m"], "--quiet"]).Succeeds();
        JsonElement byDefault = Gsrnn.Run([.. call, "--json", "--out", folder["s"]]).Succeeds().Json.GetProperty("metric");
        JsonElement asked = Gsrnn.Run([.. call, "--json", "--split", "train", "--out", folder["s"]]).Succeeds().Json.GetProperty("metric");
        Assert.Equal(asked.GetRawText(), byDefault.GetRawText());
        Assert.NotEqual(JsonValueKind.Null, asked.ValueKind);

        string said = Gsrnn.Run([.. call, "--out", folder["s"]]).Succeeds().Out;
        Assert.Contains("inputs: 24 sequences for statistics and refinement, 4 to choose by, 2 to judge by", said);
        Assert.Contains("that the compression saw", said);
        Assert.DoesNotContain("that the compression saw", Gsrnn.Run([.. call, "--holdout", "10", "--out", folder["s"]]).Succeeds().Out);
    }

    private static JsonValueKind Watched(Folder folder, string[] data, string word)
    {
        Outcome outcome = Gsrnn.Run(["train", .. data, "--hidden", "2", "--epochs", "1", "--device", "host", "--out", folder["m"], "--json"]).Succeeds();
        Assert.Contains(word, outcome.Error);
        JsonElement watched = outcome.Json.GetProperty("watched");
        if (word.Length > 0) Assert.EndsWith(watched.GetString()!, word);
        return watched.ValueKind;
    }
}
