using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Group lasso, gradual pruning and trace norm from the command line.</summary>
public class TrainedPruningTests
{
    private static readonly string[] Call =
        ["train", "--data", "digits", "--limit", "40", "--batch", "8", "--cell", "lstm", "--hidden", "8", "--epochs", "4", "--device", "host"];

    [Fact]
    public void IssEndsInASmallerModel()
    {
        using Folder folder = new();
        JsonElement json = Gsrnn.Run([.. Call, "--method", "iss", "--target-fraction", "0.25", "--out", folder["m"], "--json"]).Succeeds().Json;
        JsonElement pruning = json.GetProperty("pruning");
        Assert.Equal("iss", pruning.GetProperty("method").GetString());
        Assert.Equal(2, pruning.GetProperty("hidden").GetProperty("after")[0].GetInt32());
        Assert.True(pruning.GetProperty("parity").GetDouble() < 1e-4);
        Assert.Equal(2, Gsrnn.Run("eval", folder["m"], "--data", "digits", "--limit", "20", "--json").Succeeds().Json.GetProperty("hidden")[0].GetInt32());
    }

    [Fact]
    public void GradualPruningIsReportedAsAMask()
    {
        using Folder folder = new();
        string[] call = [.. Call, "--method", "gradual", "--target-fraction", "0.25", "--out", folder["m"]];
        JsonElement pruning = Gsrnn.Run([.. call, "--json"]).Succeeds().Json.GetProperty("pruning");
        int weights = (4 * 8 * (28 + 8)) + (8 * 10), biases = (2 * 4 * 8) + 10;
        Assert.Equal((weights / 4) + biases, pruning.GetProperty("kept").GetInt32());
        Assert.Equal(8, pruning.GetProperty("hidden").GetProperty("after")[0].GetInt32());
        Assert.Equal(weights + biases, pruning.GetProperty("parameters").GetProperty("after").GetInt32());
        Assert.Contains("a mask: the size stays", Gsrnn.Run(call).Succeeds().Out);
    }

    [Fact]
    public void ATraceNormTrainsAndPrunesNothing()
    {
        using Folder folder = new();
        Assert.Contains("trace-norm", Gsrnn.Run([.. Call, "--trace-norm", "0.001", "--out", folder["m"]]).Succeeds().Error);
    }

    [Fact]
    public void APriceThatClosesEverythingLeavesTheLastUsableModelOrSaysSo()
    {
        using Folder folder = new();
        Outcome outcome = Gsrnn.Run([.. Call, "--method", "iss", "--iss-lambda", "10000", "--out", folder["m"], "-q"]);
        outcome.FailsWith(1, "--iss-lambda 10000 is too large", "nothing was written");
    }

    [Theory]
    [InlineData("one aim", "--method", "iss")]
    [InlineData("--target-fraction 1", "--method", "iss", "--target-fraction", "1")]
    [InlineData("--target-fraction 0", "--method", "gradual", "--target-fraction", "0")]
    [InlineData("--iss-lambda -1", "--method", "iss", "--iss-lambda=-1")]
    [InlineData("--iss-lambda belongs to --method iss", "--iss-lambda", "1")]
    [InlineData("--target-fraction belongs to --method l0 or iss or gradual", "--target-fraction", "0.5")]
    [InlineData("exclude each other", "--method", "iss", "--target-fraction", "0.5", "--trace-norm", "1")]
    [InlineData("--trace-norm 0", "--trace-norm", "0")]
    public void WrongCallsAreOneLine(string expected, params string[] options)
    {
        using Folder folder = new();
        Gsrnn.Run([.. Call, .. options, "--out", folder["m"]]).FailsWith(2, expected);
    }
}
