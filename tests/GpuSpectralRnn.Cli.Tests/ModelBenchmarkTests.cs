using System.Text.Json;
using GpuSpectralRnn.Cli.Benchmarks;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Networks;
using Xunit;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Models against each other on one input.</summary>
public class ModelBenchmarkTests
{
    [Fact]
    public void ModelsAreTimedBesideTheirMultiplyAdds()
    {
        using Folder folder = new();
        string[] train = ["train", "--data", "digits", "--limit", "8", "--batch", "4", "--cell", "lstm", "--hidden", "24", "--epochs", "1", "--out", folder["m"], "-q"];
        Gsrnn.Run(train).Succeeds();
        string[] call = ["bench", "--model", folder["m"], "--model", "lstm:28-6-10", "--steps", "5", "--batch", "1,3", "--runs", "3", "--device", "host", "--threads", "1"];
        JsonElement json = Gsrnn.Run([.. call, "--json"]).Succeeds().Json;
        Assert.Equal(("host", 1, 5), (json.GetProperty("device").GetString(), json.GetProperty("threads").GetInt32(), json.GetProperty("steps").GetInt32()));
        JsonElement[] models = [.. json.GetProperty("models").EnumerateArray()];
        Assert.Equal([(folder["m"], 1), ("lstm:28-6-10", 1), (folder["m"], 3), ("lstm:28-6-10", 3)], models.Select(m => (m.GetProperty("model").GetString(), m.GetProperty("batch").GetInt32())));
        long big = (5 * 4 * 24 * (28 + 24)) + (24 * 10), small = (5 * 4 * 6 * (28 + 6)) + (6 * 10);
        Assert.Equal([big, small, big, small], models.Select(m => m.GetProperty("multiplyAddsPerSequence").GetInt64()));
        Assert.Equal((double)big / small, models[1].GetProperty("multiplyAddRatio").GetDouble(), 1e-12);
        Assert.Equal((4 * 6 * (28 + 6 + 2)) + (6 * 10) + 10, models[1].GetProperty("parameters").GetInt64());
        foreach (JsonElement model in models)
        {
            // 3 batches of 5 steps: what a step takes is a fifth of a pass, a sequence a B-th.
            int batch = model.GetProperty("batch").GetInt32();
            Assert.True(model.GetProperty("stepMs").GetDouble() > 0);
            Assert.Equal(model.GetProperty("stepMs").GetDouble() * 5, model.GetProperty("sequenceMs").GetDouble() * batch, 1e-9);
            double[] range = [.. model.GetProperty("speedQuartiles").EnumerateArray().Select(x => x.GetDouble())];
            Assert.InRange(model.GetProperty("speedRatio").GetDouble(), range[0], range[1]);
        }

        Assert.Equal(1, models[0].GetProperty("speedRatio").GetDouble());
        Assert.Contains("multiply-adds/sequence", Gsrnn.Run(call).Succeeds().Out);
        Gsrnn.Run(["bench", "--model", "gru:2-3-2", "--runs", "1", "--steps", "2"]).Succeeds();
    }

    [Fact]
    public void StacksAreReadFromTheirSizes()
    {
        Architecture words = StackText.Find("lstm:10000x1500-373-315-10000")!;
        Assert.Equal((10000, 1500, 10000, Readout.Every), (words.Vocabulary, words.Inputs, words.Outputs, words.Readout));
        Assert.Equal([373, 315], words.Hidden);
        Assert.Equal((10000L * 1500) + (4 * 373 * (1500 + 373 + 2)) + (4 * 315 * (373 + 315 + 2)) + (315 * 10000) + 10000, words.ParameterCount);
        Assert.Equal((0, 28, Readout.Last), (StackText.Find("irnn:28-128-10")!.Vocabulary, StackText.Find("irnn:28-128-10")!.Inputs, StackText.Find("irnn:28-128-10")!.Readout));
        Assert.Null(StackText.Find("C:model.safetensors"));
        Assert.Null(StackText.Find("model"));
    }

    [Theory]
    [InlineData("reads 28 numbers a step and lstm:3-4-2 reads 3 numbers a step", "--model", "lstm:28-4-10", "lstm:3-4-2")]
    [InlineData("tokens of 9", "--model", "lstm:9x3-4-9", "--model", "lstm:3-4-2")]
    [InlineData("'0' is no number", "--model", "lstm:0-4-2")]
    [InlineData("write a stack as", "--model", "lstm:28-4")]
    [InlineData("does not exist", "--model", "nowhere.safetensors")]
    [InlineData("--steps 0", "--model", "lstm:3-4-2", "--steps", "0")]
    [InlineData("--batch 0", "--model", "lstm:3-4-2", "--batch", "2,0")]
    [InlineData("leave --only", "--model", "lstm:3-4-2", "--only", "rnn-row")]
    [InlineData("belongs to --model", "--batch", "3")]
    [InlineData("--model needs a value", "--model", "lstm:3-4-2", "--model")]
    [InlineData("more than once", "--steps", "3", "--steps", "4", "--model", "lstm:3-4-2")]
    public void WrongCallsAreOneLine(string expected, params string[] options)
    {
        Gsrnn.Run(["bench", .. options]).FailsWith(2, expected);
    }
}
