using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>L0 gates from the command line.</summary>
public class L0TrainingTests
{
    private static readonly string[] Gates = ["--method", "l0", "--batch", "8", "-q", "--json"];

    [Fact]
    public void TheModelIsTheSmallDenseOneAndEveryEpochSaysHowFarItIs()
    {
        using Folder folder = new();
        string[] data = folder.Idx(60);
        Gsrnn.Run(["train", .. data, "--cell", "gru", "--hidden", "8", "--epochs", "1", "--out", folder["big"], "-q"]).Succeeds();

        JsonElement json = Gsrnn.Run(["train", .. data, .. Gates, "--init", folder["big"], "--target-fraction", "0.25", "--epochs", "3", "--holdout", "10",
            "--out", folder["small"], "--log", folder["log"], "--report", folder["page"]]).Succeeds().Json;

        JsonElement pruning = json.GetProperty("pruning");
        Assert.Equal([8], pruning.GetProperty("hidden").GetProperty("before").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal([2], pruning.GetProperty("hidden").GetProperty("after").EnumerateArray().Select(n => n.GetInt32()));
        Assert.InRange(pruning.GetProperty("parity").GetDouble(), 0, 1e-4);
        JsonElement[] lines = [.. File.ReadAllLines(folder["log"]).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal([1, 2, 3], lines.Select(line => line.GetProperty("epoch").GetInt32()));
        foreach (JsonElement line in lines)
        {
            JsonElement own = line.GetProperty("pruning"), axis = own.GetProperty("axes")[0];
            Assert.Equal("l0", axis.GetProperty("name").GetString());
            Assert.Equal(8, axis.GetProperty("open").GetInt32() + axis.GetProperty("closed").GetInt32() + axis.GetProperty("undecided").GetInt32());
            Assert.Equal(8 - axis.GetProperty("closed").GetInt32(), axis.GetProperty("sliced").GetInt32());
            Assert.InRange(axis.GetProperty("expected").GetDouble(), 0, 8);
            Assert.Equal("accuracy", own.GetProperty("sliced").GetProperty("name").GetString());
        }

        Assert.Contains("Units of l0", File.ReadAllText(folder["page"]));
        JsonElement read = Gsrnn.Run(["eval", folder["small"], .. data, "--holdout", "10", "--split", "valid", "--json", "-q"]).Succeeds().Json;
        Assert.Equal(json.GetProperty("metric").GetProperty("value").GetDouble(), read.GetProperty("value").GetDouble());
        Assert.Equal(json.GetProperty("parameters").GetInt32(), read.GetProperty("parameters").GetInt32());

        // The gated run is kept beside it, and the same call again ends the same.
        string[] again = ["train", .. data, .. Gates, "--init", folder["big"], "--target-fraction", "0.25", "--epochs", "3", "--holdout", "10", "--out", folder["small"], "--resume"];
        Assert.Equal(json.GetProperty("loss").GetDouble(), Gsrnn.Run(again).Succeeds().Json.GetProperty("loss").GetDouble());
    }

    [Fact]
    public void EpochsTellWhereTheGatesStand()
    {
        using Folder folder = new();
        string error = Gsrnn.Run(["train", .. folder.Idx(30), "--hidden", "6", "--method", "l0", "--l0-lambda", "1e-4", "--gates", "all", "--epochs", "1", "--batch", "8",
            "--out", folder["m"]]).Succeeds().Error;
        Assert.Matches(@"l0: .* of 12 units expected, lambda 1e-4, .*inputs \d+ open, \d+ closed.*; l0 \d+ open, \d+ closed.*; sliced: inputs 6, l0 \d units", error);
    }

    [Fact]
    public void APriceThatClosesEverythingLeavesTheLastUsableNetwork()
    {
        using Folder folder = new();
        string[] call = ["train", .. folder.Idx(60), "--hidden", "6", .. Gates, "--l0-lambda", "1e5", "--out", folder["m"]];
        string first = Gsrnn.Run([.. call, "--epochs", "2", "--gate-lr", "1"]).FailsWith(1).Error;
        Assert.Contains("--l0-lambda 100000", first);
        Assert.Contains("nothing was written", first);
        Assert.False(File.Exists(folder["m"]));

        string later = Gsrnn.Run([.. call, "--epochs", "20", "--gate-lr", "0.1"]).FailsWith(1).Error;
        Assert.Contains("--l0-lambda 100000", later);
        Assert.Contains("the last that had units left", later);
        Gsrnn.Run(["eval", folder["m"], .. folder.Idx(60), "-q"]).Succeeds();
    }

    [Theory]
    [InlineData("--target-fraction", "0", "--target-fraction 0")]
    [InlineData("--target-fraction", "1", "--target-fraction 1")]
    [InlineData("--l0-lambda", "0", "--l0-lambda 0")]
    [InlineData("--gates", "some", "--gates some")]
    [InlineData("--epochs", "2", "--target-fraction")]
    public void WhatCannotBeIsRefusedInOneLine(string option, string value, string said)
    {
        using Folder folder = new();
        string message = Gsrnn.Run(["train", .. folder.Idx(30), "--hidden", "5", .. Gates, "--out", folder["m"], option, value]).FailsWith(2).Error;
        Assert.Contains(said, message);
    }

    [Fact]
    public void OptionsOfAMethodNeedIt()
    {
        using Folder folder = new();
        Assert.Contains("--method", Gsrnn.Run(["train", .. folder.Idx(30), "--hidden", "5", "--target-fraction", "0.5", "--out", folder["m"]]).FailsWith(2).Error);
        Assert.Contains("prune", Gsrnn.Run(["train", .. folder.Idx(30), "--hidden", "5", "--method", "random", "--out", folder["m"]]).FailsWith(2).Error);
        Gsrnn.Run(["train", .. folder.Idx(30), "--hidden", "5", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        Assert.Contains("train", Gsrnn.Run(["prune", folder["m"], .. folder.Idx(30), "--method", "l0", "--keep", "2", "--out", folder["n"], "-q"]).FailsWith(2).Error);
    }
}
