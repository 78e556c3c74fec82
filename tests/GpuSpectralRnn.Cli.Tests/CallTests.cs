using System.Reflection;
using CommandLine;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>How the program answers calls that are wrong, and calls for help.</summary>
public class CallTests
{
    // Every verb there is, also one that Program forgot.
    private static readonly string[] Verbs =
        [.. typeof(Verb).Assembly.GetTypes().Select(type => type.GetCustomAttribute<VerbAttribute>()?.Name).OfType<string>()];

    [Fact]
    public void HelpListsEveryVerb()
    {
        Outcome outcome = Gsrnn.Run("--help").Succeeds();
        foreach (string verb in Verbs) Assert.Contains($"  {verb} ", outcome.Out);
        Assert.Equal("", outcome.Error);
    }

    [Fact]
    public void EveryVerbShowsUsageWithAnExample()
    {
        foreach (string verb in Verbs)
        {
            Outcome outcome = Gsrnn.Run(verb, "--help").Succeeds();
            Assert.Contains($"Usage: gsrnn {verb}", outcome.Out);
            Assert.Contains($"Example: gsrnn {verb}", outcome.Out);
            Assert.Contains("--json", outcome.Out);
        }
    }

    [Fact]
    public void HelpNamesEveryMethodAndDataFormat()
    {
        string train = Gsrnn.Run("train", "--help").Succeeds().Out;
        string prune = Gsrnn.Run("prune", "--help").Succeeds().Out, compare = Gsrnn.Run("compare", "--help").Succeeds().Out;
        foreach (MethodSpec method in MethodSpec.All)
        {
            Assert.Matches($@"\b{method.Name}[,;. ]", compare);
            if (method.Name != MethodSpec.Scratch) Assert.Matches($@"\b{method.Name}[,;. ]", method.Train is null ? prune : train);
        }

        foreach (DataFormat format in DataFormat.All) Assert.Matches($@"\b{format.Name}[,:]", train);
    }

    [Fact]
    public void VersionIsOneLine() => Assert.Matches(@"^gsrnn \d+\.\d+\.\d+\S*\n$", Gsrnn.Run("--version").Succeeds().Out);

    [Fact]
    public void NothingGivenShowsThePageAndFails()
    {
        Outcome outcome = Gsrnn.Run();
        Assert.Equal(2, outcome.Code);
        Assert.Contains("Usage: gsrnn VERB", outcome.Error);
        Assert.Equal("", outcome.Out);
    }

    [Theory]
    [InlineData("trian", "unknown verb 'trian'", "did you mean 'train'")]
    [InlineData("eval m --data digits --bacth 3", "--bacth", "did you mean '--batch'")]
    [InlineData("eval --data digits", "eval needs a MODEL")]
    [InlineData("train --data digits", "--out")]
    [InlineData("train --data digits --out x --epochs many", "--epochs")]
    [InlineData("train --data digits --out x --hidden", "--hidden needs a value")]
    [InlineData("train --data digits --out --hidden 3", "--out needs a value")]
    [InlineData("train --data digits --out x --cell perceptron", "perceptron", "irnn")]
    [InlineData("train --data digits --out x --readout first", "first", "last")]
    [InlineData("train --data digits --out x --optimizer newton", "newton", "adam")]
    [InlineData("train --data digits --out x --schedule odd", "odd")]
    [InlineData("train --data digits --out x --hidden 0", "0 hidden")]
    [InlineData("train --data digits --out x --hidden 8,x", "--hidden")]
    [InlineData("train --data digits --out x --epochs 0", "--epochs 0")]
    [InlineData("train --data digits --out x --batch 0", "--batch 0")]
    [InlineData("train --data digits --out x --cell lstm --init-chrono 1", "--init-chrono 1", "2 steps")]
    [InlineData("train --data digits --out x --cell rnn-tanh --init-chrono 28 --quiet", "gates", "LSTM or GRU")]
    [InlineData("train --data digits --out x --lr=-1", "--lr -1")]
    [InlineData("train --data digits --out x --lr 0,003", "--lr", "0.003")]
    [InlineData("train --data digits --out x --lr=1,000", "--lr", "1.000")]
    [InlineData("train --data digits --out x --lr NaN", "--lr", "finite")]
    [InlineData("train --data digits --out x --limit 1,000", "--limit", "whole number")]
    [InlineData("train --data digits --out x --epochs 99999999999", "--epochs", "2147483647")]
    [InlineData("train --data digits --out x --seed=-1", "--seed")]
    [InlineData("train --data digits --out x --layers 100000", "--layers 100000", "100")]
    [InlineData("train --data digits --out x --threads 100000", "--threads 100000")]
    [InlineData("help nothing", "unknown verb 'nothing'")]
    [InlineData("train --data digits --out x --threads=-1", "--threads -1")]
    [InlineData("train --data digits --out x --device warp:9", "warp:9", "host")]
    [InlineData("train --data digits --out x --kernel fast", "--kernel fast", "stepwise")]
    [InlineData("train --data digits --out x --device host --kernel persistent", "--kernel persistent", "host")]
    [InlineData("train --data digits --out x --device ilgpu-cpu --kernel persistent --hidden 300 --quiet", "300 units", "ilgpu-cpu", "stepwise")]
    [InlineData("train --data digits --out x --view diagonal", "diagonal", "pixel")]
    [InlineData("train --data digits --out x stray", "stray")]
    [InlineData("train --data cifar --out x", "cifar", "digits")]
    [InlineData("train --data idx --out x", "--images")]
    [InlineData("train --data npy --out x", "--x")]
    [InlineData("train --data digits --images f --out x", "--images", "digits")]
    [InlineData("train --data digits --epochs 1 --epochs 2 --out x", "--epochs", "more than once")]
    [InlineData("train --data digits --limit 0 --out x", "--limit 0")]
    [InlineData("train --data digits --holdout=-3 --out x", "--holdout -3")]
    [InlineData("train --data digits --limit 10 --holdout 8000 --out x", "--holdout 8000")]
    [InlineData("eval missing.safetensors --data digits", "missing.safetensors")]
    [InlineData("eval missing.safetensors --data digits --split some", "some", "valid")]
    [InlineData("predict missing.safetensors --data digits --out y.npy", "missing.safetensors")]
    [InlineData("import missing.safetensors --cell irnn --out x", "missing.safetensors")]
    [InlineData("import net.onnx --out x", "net.onnx")]
    [InlineData("demo --epochs 0", "--epochs 0")]
    [InlineData("demo --digits 99", "--digits 99")]
    [InlineData("bench --only lstm-diagonal", "lstm-diagonal", "rnn-row")]
    [InlineData("bench --runs 0", "--runs 0")]
    [InlineData("bench --device host --blas cublas", "--blas cublas", "--blas auto")]
    [InlineData("bench --device host --blas kernels-tf32", "host", "8.0", "--blas auto")]
    [InlineData("bench --device ilgpu-cpu --blas kernels-tf32", "ilgpu-cpu", "8.0", "--blas auto")]
    [InlineData("bench --blas mkl", "--blas mkl", "kernels")]
    [InlineData("bench --against missing.json", "missing.json")]
    [InlineData("data fetch", "fetch", "list")]
    [InlineData("data get nothing", "nothing", "mnist")]
    public void WrongCallsEndWithOneLineAndCode2(string line, params string[] words)
    {
        using Folder folder = new();
        string[] args = line.Split(' ');
        int name = Array.IndexOf(args, "--out") + 1;
        if (name > 0 && name < args.Length && args[name] is "x" or "y.npy") args[name] = folder[args[name]];
        Gsrnn.Run(args).FailsWith(2, words);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void LongValuesAreCut()
    {
        using Folder folder = new();
        string value = new('A', 3000);
        Assert.True(Gsrnn.Run("train", "--data", "digits", "--cell", value, "--out", folder["x"]).FailsWith(2, "AAA...").Error.Length < 300);
        Assert.True(Gsrnn.Run(value).FailsWith(2, "unknown verb").Error.Length < 300);
    }

    [Fact]
    public void VerboseShowsTheStackTrace()
    {
        Outcome outcome = Gsrnn.Run("eval", "missing.safetensors", "--data", "digits", "--verbose");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("   at GpuSpectralRnn", outcome.Error);
    }
}
