using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>A model that is no stack, made with the library: what gsrnn does with it.</summary>
public sealed class GraphModelTests : IDisposable
{
    private static readonly GraphRecipe Recipe = new()
    {
        Fields = [new Field { Name = "rows", Axis = "pixels" }],
        Axes = new Dictionary<string, int> { ["pixels"] = 28, ["wide"] = 6, ["gate"] = 6, ["candidate"] = 6, ["forward"] = 5, ["reverse"] = 4, ["digit"] = 10 },
        Modules =
        [
            new Linear { Name = "wide", Inputs = ["rows"], Axes = ["wide"] },
            new Linear { Name = "gate", Inputs = ["wide"], Axes = ["gate"] },
            new Linear { Name = "candidate", Inputs = ["wide"], Axes = ["candidate"] },
            new Highway { Name = "highway", Inputs = ["gate", "candidate", "wide"] },
            new Recurrent { Name = "forward", Inputs = ["highway"], Cell = GpuSpectralRnn.Networks.Cell.Gru, Axis = "forward" },
            new Recurrent { Name = "reverse", Inputs = ["highway"], Cell = GpuSpectralRnn.Networks.Cell.Lstm, Axis = "reverse", IsReverse = true },
            new Concat { Name = "both", Inputs = ["forward", "reverse"] },
            new MeanOverSteps { Name = "mean", Inputs = ["both"] },
            new Linear { Name = "digit", Inputs = ["mean"], Axes = ["digit"] },
        ],
        Outputs = ["digit"],
    };

    private readonly Folder folder = new();

    public GraphModelTests()
    {
        using HostBackend host = new(threads: 1);
        using Network network = Network.Create(Recipe, host, seed: 1);
        ModelFile.Save(folder["m"], network);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ItIsMeasured()
    {
        JsonElement json = Gsrnn.Run("eval", folder["m"], "--data", "digits", "--limit", "20", "--json").Succeeds().Json;
        Assert.Equal(Recipe.Build().ParameterCount, json.GetProperty("parameters").GetInt64());
        Gsrnn.Run("predict", folder["m"], "--data", "digits", "--limit", "20", "--out", folder["y.npy"]).Succeeds();
        json = Gsrnn.Run("spectrum", folder["m"], "--data", "digits", "--limit", "40", "--json").Succeeds().Json;
        Assert.Equal(["forward", "reverse", "wide", "gate", "candidate"], json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("name").GetString()));
    }

    [Fact]
    public void ItIsPrunedOnEveryAxis()
    {
        JsonElement json = Gsrnn.Run(
            ["prune", folder["m"], "--data", "digits", "--limit", "60", "--keep", "3,2,4", "--criterion", "adjoint", "--out", folder["s"], "--json"]).Succeeds().Json;
        Assert.InRange(json.GetProperty("parity").GetDouble(), 0, 1e-4);
        Assert.Equal([3, 2, 4], json.GetProperty("hidden").GetProperty("after").EnumerateArray().Select(size => size.GetInt32()));
        Assert.Equal(5, json.GetProperty("kept").GetArrayLength());
        Assert.Equal([3, 2, 4, 4, 4], json.GetProperty("kept").EnumerateArray().Select(units => units.GetArrayLength()));
        Gsrnn.Run("eval", folder["s"], "--data", "digits", "--limit", "20").Succeeds();
    }

    [Fact]
    public void ItIsCompared()
    {
        JsonElement json = Gsrnn.Run(
            ["compare", "--data", "digits", "--limit", "80", "--model", folder["m"], "--methods", "adjoint,random,scratch", "--keep", "3x2x4", "--epochs", "1", "--json"])
            .Succeeds().Json;
        Assert.Equal([5, 4, 6], json.GetProperty("hidden").EnumerateArray().Select(size => size.GetInt32()));
        Assert.Equal(4, json.GetProperty("rows").GetArrayLength());
    }

    [Theory]
    [InlineData("prune", "--data", "digits", "--keep", "3,2", "--out", "s")]
    [InlineData("prune", "--data", "copy", "--fraction", "0.5", "--out", "s")]
    [InlineData("eval", "--data", "adding")]
    [InlineData("export", "--out", "m.onnx")]
    [InlineData("export", "--out", "m.c")]
    [InlineData("sample", "--start", "a")]
    [InlineData("bound", "--data", "digits", "--keep", "3")]
    public void WhatItCannotDoIsRefusedInOneLine(string verb, params string[] options) =>
        Gsrnn.Run([verb, folder["m"], .. options.Select(option => option is "s" or "m.onnx" or "m.c" ? folder[option] : option)]).FailsWith(2);
}
