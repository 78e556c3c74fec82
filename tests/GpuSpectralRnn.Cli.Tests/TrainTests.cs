using System.Diagnostics;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Training from the command line: what it writes, how it stops and goes on.</summary>
public class TrainTests
{
    private static readonly string[] Small = ["train", "--hidden", "5", "--epochs", "2", "--batch", "8"];

    [Fact]
    public void JsonHasTheContractsKeysAndNothingElseIsPrinted()
    {
        using Folder folder = new();
        Outcome outcome = Gsrnn.Run([.. Small, .. folder.Idx(30), "--holdout", "10", "--out", folder["m"], "--json", "--quiet"]).Succeeds();
        JsonElement json = outcome.Json;
        Assert.Equal(2, json.GetProperty("epochs").GetInt32());
        Assert.True(json.GetProperty("seconds").GetDouble() > 0);
        Assert.True(json.GetProperty("loss").GetDouble() > 0);
        Assert.Equal("accuracy", json.GetProperty("metric").GetProperty("name").GetString());
        Assert.InRange(json.GetProperty("metric").GetProperty("value").GetDouble(), 0, 1);
        Assert.Equal(folder["m"], json.GetProperty("model").GetString());
        Assert.Equal((5 * (6 + 5 + 2)) + (10 * (5 + 1)), json.GetProperty("parameters").GetInt32());
        Assert.Equal("", outcome.Error);
        Assert.True(File.Exists(folder["m"]));
    }

    [Fact]
    public void ProgressIsALinePerEpochOnStandardError()
    {
        using Folder folder = new();
        Outcome outcome = Gsrnn.Run([.. Small, .. folder.Idx(30), "--out", folder["m"]]).Succeeds();
        Assert.Contains("epoch 1/2", outcome.Error);
        Assert.Contains("epoch 2/2", outcome.Error);
        Assert.Contains(" seq/s", outcome.Error);
        Assert.Contains("left", outcome.Error);
        Assert.DoesNotContain("epoch", outcome.Error[..outcome.Error.IndexOf("epoch 1/2", StringComparison.Ordinal)]);
        Assert.Contains("accuracy", outcome.Out);
        Assert.DoesNotContain('\u001b', outcome.Out + outcome.Error);
    }

    [Theory]
    [InlineData("lstm", 4)]
    [InlineData("gru", 3)]
    public void GatedCellsTrainAndAreReadBack(string cell, int gates)
    {
        using Folder folder = new();
        string[] data = folder.Idx(30);
        Outcome trained = Gsrnn.Run(["train", .. data, "--cell", cell, "--hidden", "5", "--epochs", "1", "--batch", "8", "--out", folder["m"], "-q", "--json"]).Succeeds();
        Assert.Equal((gates * 5 * (6 + 5 + 2)) + (10 * (5 + 1)), trained.Json.GetProperty("parameters").GetInt32());
        JsonElement read = Gsrnn.Run(["eval", folder["m"], .. data, "--json", "-q"]).Succeeds().Json;
        Assert.Equal(trained.Json.GetProperty("metric").GetProperty("value").GetDouble(), read.GetProperty("value").GetDouble());
    }

    [Fact]
    public void TwoDirectionsWithDropoutTrainAndAreReadBack()
    {
        using Folder folder = new();
        string[] data = folder.Idx(30);
        string[] options = "--cell lstm --hidden 5,4 --bidirectional --dropout 0.3 --epochs 1 --batch 8 -q --json".Split(' ');
        Outcome trained = Gsrnn.Run(["train", .. data, .. options, "--out", folder["m"]]).Succeeds();
        int parameters = (2 * 4 * 5 * (6 + 5 + 2)) + (2 * 4 * 4 * (10 + 4 + 2)) + (10 * (8 + 1));
        Assert.Equal(parameters, trained.Json.GetProperty("parameters").GetInt32());
        JsonElement read = Gsrnn.Run(["eval", folder["m"], .. data, "--json", "-q"]).Succeeds().Json;
        Assert.Equal(trained.Json.GetProperty("metric").GetProperty("value").GetDouble(), read.GetProperty("value").GetDouble());
        Gsrnn.Run(["prune", folder["m"], .. data, "--method", "random", "--keep", "2", "--out", folder["n"], "-q"]).Succeeds();
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--dropout", "0.3", "--epochs", "1", "--out", folder["n"], "-q"]).FailsWith(2, "between layers");
        Gsrnn.Run(["train", .. data, "--hidden", "5,5", "--dropout", "1", "--epochs", "1", "--out", folder["n"], "-q"]).FailsWith(2, "--dropout 1");
    }

    [Fact]
    public void LearnsWhatIsEasy()
    {
        using Folder folder = new();
        string[] data = folder.Idx(90);
        string[] options = "--cell rnn-tanh --hidden 16 --epochs 30 --batch 8 --lr 0.01 -q --json".Split(' ');
        Outcome outcome = Gsrnn.Run(["train", .. data, .. options, "--out", folder["m"]]);
        Assert.True(outcome.Succeeds().Json.GetProperty("metric").GetProperty("value").GetDouble() > 0.95, outcome.Out);
    }

    [Fact]
    public void TheSameSeedGivesTheSameBytesAnotherSeedDoesNot()
    {
        using Folder folder = new();
        string[] data = folder.Idx(30);
        foreach ((string name, string seed) in new[] { ("a", "3"), ("b", "3"), ("c", "4") })
            Gsrnn.Run([.. Small, .. data, "--seed", seed, "--out", folder[name], "-q"]).Succeeds();
        Assert.Equal(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]));
        Assert.NotEqual(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["c"]));
    }

    [Fact]
    public void CtrlCLeavesACheckpointFromWhichResumeGivesTheSameBits()
    {
        using Folder folder = new();
        string[] call = ["train", .. folder.Idx(300), "--hidden", "12", "--epochs", "150", "--batch", "4"];
        Gsrnn.Run([.. call, "--out", folder["whole"], "-q"]).Succeeds();

        Outcome stopped;
        using (Process process = Gsrnn.Start(folder.Path, [.. call, "--out", folder["m"]]))
        {
            // The first finished epoch shows that training is under way.
            string seen = "";
            while (!seen.Contains("epoch 1/150") && process.StandardError.ReadLine() is { } line) seen += line + "\n";
            Gsrnn.Interrupt(process);
            stopped = Gsrnn.Finish(process);
        }

        Assert.Equal(1, stopped.Code);
        Assert.Contains("--resume", stopped.Error);
        Assert.False(File.Exists(folder["m"]));
        Assert.True(File.Exists(folder["m.ckpt"]));
        Gsrnn.Run([.. call, "--out", folder["m"], "--resume", "-q"]).Succeeds();
        Assert.Equal(File.ReadAllBytes(folder["whole"]), File.ReadAllBytes(folder["m"]));
    }

    [Fact]
    public void ResumeRefusesOtherSettingsAndAMissingCheckpoint()
    {
        using Folder folder = new();
        string[] data = folder.Idx(30);
        Gsrnn.Run([.. Small, .. data, "--out", folder["m"], "--resume"]).FailsWith(2, "m.ckpt", "--resume");
        Gsrnn.Run([.. Small, .. data, "--out", folder["m"], "-q"]).Succeeds();
        Gsrnn.Run([.. Small, .. data, "--out", folder["m"], "--lr", "0.5", "--resume", "-q"]).FailsWith(2, "0.5");
        Gsrnn.Run(["train", .. data, "--hidden", "6", "--epochs", "2", "--batch", "8", "--out", folder["m"], "--resume", "-q"]).FailsWith(2, "[6]");
    }

    [Fact]
    public void InitGoesOnFromAModel()
    {
        using Folder folder = new();
        string[] data = folder.Idx(30);
        Gsrnn.Run([.. Small, .. data, "--out", folder["a"], "-q"]).Succeeds();
        string[] again = ["train", .. data, "--epochs", "1", "--out", folder["b"], "-q", "--init", folder["a"]];
        Assert.Equal(125, Gsrnn.Run([.. again, "--json"]).Succeeds().Json.GetProperty("parameters").GetInt32());
        Gsrnn.Run([.. again, "--hidden", "9"]).FailsWith(2, "--init", "--hidden");
    }

    [Fact]
    public void TwoRunsMayWriteOneFile()
    {
        using Folder folder = new();
        string[] data = folder.Idx(60);
        string[] call = [.. Small, .. data, "--out", folder["m"], "-q"];
        using Process first = Gsrnn.Start(folder.Path, call);
        using Process second = Gsrnn.Start(folder.Path, [.. call, "--seed", "2"]);
        Gsrnn.Finish(first).Succeeds();
        Gsrnn.Finish(second).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. data]).Succeeds();
        Assert.DoesNotContain(Directory.EnumerateFiles(folder.Path), f => f.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void ABatchLargerThanTheSetIsTheWholeSet()
    {
        using Folder folder = new();
        Gsrnn.Run(["train", .. folder.Idx(7), "--hidden", "3", "--epochs", "1", "--batch", "1000", "--out", folder["m"], "-q"]).Succeeds();
    }

    [Fact]
    public void EveryCellReadoutOptimizerAndScheduleTrains()
    {
        using Folder folder = new();
        string[] data = folder.Idx(12);
        foreach (string options in new[]
        {
            "--cell irnn --hidden 4 --readout mean --optimizer sgd --schedule linear",
            "--cell rnn-tanh --hidden 4 --layers 2 --optimizer momentum --schedule cosine",
            "--cell rnn-relu --hidden 3,4,2 --optimizer rmsprop --schedule step --clip 0",
            "--hidden 4 --optimizer adamw --schedule one-cycle --weight-decay 0.01 --view permuted",
            "--hidden 4 --patience 1 --holdout 4 --view pixel",
        })
        {
            Gsrnn.Run(["train", "--epochs", "2", "-q", .. data, .. options.Split(' '), "--out", folder["m"]]).Succeeds();
        }
    }

    [Fact]
    public void SyntheticTasksAndRegressionTrain()
    {
        using Folder folder = new();
        string[] adding = ["--data", "adding", "--length", "4", "--limit", "16"];
        JsonElement trained = Gsrnn.Run([.. Small, .. adding, "--out", folder["adding"], "-q", "--json"]).Succeeds().Json;
        Assert.Equal("mse", trained.GetProperty("metric").GetProperty("name").GetString());
        string[] copy = ["--data", "copy", "--length", "2", "--limit", "16"];
        Gsrnn.Run([.. Small, .. copy, "--out", folder["copy"], "-q"]).Succeeds();
        JsonElement predicted = Gsrnn.Run(["predict", folder["copy"], .. copy, "--out", folder["y.npy"], "--json"]).Succeeds().Json;
        Assert.Equal([16, 22, 9], predicted.GetProperty("shape").EnumerateArray().Select(e => e.GetInt32()));
    }
}
