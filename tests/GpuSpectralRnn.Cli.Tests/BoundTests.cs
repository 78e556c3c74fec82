using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>The verb bound.</summary>
public class BoundTests
{
    [Fact]
    public void JsonHasTheContractsKeys()
    {
        using Folder folder = new();
        string[] data = Train(folder);
        JsonElement json = Gsrnn.Run(["bound", folder["m"], .. data, "--keep", "3", "--json"]).Succeeds().Json;
        double bias = json.GetProperty("bias").GetDouble(), variance = json.GetProperty("variance").GetDouble();
        Assert.Equal(bias + variance, json.GetProperty("total").GetDouble(), 1e-12 * variance);
        Assert.True(json.GetProperty("vacuous").GetBoolean());
        JsonElement approximation = json.GetProperty("approximation");
        double measured = approximation.GetProperty("measured").GetDouble();
        Assert.InRange(measured, 0, approximation.GetProperty("upper").GetDouble());
        Assert.True(measured > 0);

        // The bias holds the loss of the small network at least: that is what it bounds.
        Assert.InRange(json.GetProperty("risk").GetProperty("after").GetDouble(), 0, bias);
    }

    [Fact]
    public void ANetworkThatStandsForItselfHasNoApproximationError()
    {
        using Folder folder = new();
        string[] data = Train(folder);
        Outcome outcome = Gsrnn.Run(["bound", folder["m"], .. data]).Succeeds();
        Assert.Contains("vacuous", outcome.Out);
        Assert.Contains("not a theorem of the paper", outcome.Out);
        JsonElement json = Gsrnn.Run(["bound", folder["m"], .. data, "--limit", "1", "--json"]).Succeeds().Json;
        Assert.Equal(0, json.GetProperty("approximation").GetProperty("measured").GetDouble());
        Assert.Equal(0, json.GetProperty("approximation").GetProperty("upper").GetDouble());
        Assert.Equal(json.GetProperty("risk").GetProperty("before").GetDouble(), json.GetProperty("bias").GetDouble());
    }

    [Theory]
    [InlineData("--data", "adding", "--length", "6", "--readout", "mean")]
    [InlineData("--data", "copy", "--length", "3")]
    public void OtherReadOutsHaveTheirOwnRisk(params string[] data)
    {
        using Folder folder = new();
        string[] call = [.. data[..4], "--limit", "40", "--device", "host"];
        Gsrnn.Run(["train", .. call, .. data[4..], "--cell", "rnn-tanh", "--hidden", "6", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        JsonElement json = Gsrnn.Run(["bound", folder["m"], .. call, "--keep", "4", "--ceiling", "1000", "--json"]).Succeeds().Json;
        double loss = Gsrnn.Run(["eval", folder["m"], .. call, "--split", "train", "--json"]).Succeeds().Json.GetProperty("loss").GetDouble();

        // No loss is clipped at 1000, and every sequence has as many answers; single precision on the device.
        Assert.Equal(loss, json.GetProperty("risk").GetProperty("before").GetDouble(), 1e-5 * Math.Max(1, loss));
        JsonElement approximation = json.GetProperty("approximation");
        Assert.InRange(approximation.GetProperty("measured").GetDouble(), 1e-9, approximation.GetProperty("upper").GetDouble());
        Assert.InRange(json.GetProperty("risk").GetProperty("after").GetDouble(), 0, json.GetProperty("bias").GetDouble());
    }

    [Fact]
    public void WrongCallsAreRefusedNamingTheOption()
    {
        using Folder folder = new();
        string[] data = Train(folder), call = ["bound", folder["m"], .. data, "-q"];
        Gsrnn.Run([.. call, "--keep", "0"]).FailsWith(2, "--keep 0", "1 to 5");
        Gsrnn.Run([.. call, "--keep", "6"]).FailsWith(2, "--keep 6", "1 to 5");
        Gsrnn.Run([.. call, "--keep", "2", "--limit", "1"]).FailsWith(2, "1 calibration sequence");
        Gsrnn.Run([.. call, "--delta", "1"]).FailsWith(2, "--delta 1");
        Gsrnn.Run([.. call, "--input-radius", "0.001"]).FailsWith(2, "--input-radius 0.001");
        Gsrnn.Run(["train", .. data, "--hidden", "4,3", "--epochs", "1", "--out", folder["deep"], "-q"]).Succeeds();
        Gsrnn.Run(["bound", folder["deep"], .. data, "-q"]).FailsWith(2, "one layer", "one state through time");
        Gsrnn.Run(["train", .. data, "--cell", "gru", "--hidden", "3", "--epochs", "1", "--out", folder["gru"], "-q"]).Succeeds();
        Gsrnn.Run(["bound", folder["gru"], .. data, "-q"]).FailsWith(2, "one layer", "a gate multiplies states");
        string[] npy = folder.Npy(20);
        Gsrnn.Run(["train", .. npy, "--hidden", "3", "--epochs", "1", "--out", folder["n"], "-q"]).Succeeds();
        Gsrnn.Run(["bound", folder["n"], .. npy[..4], "-q"]).FailsWith(2, "no targets");
    }

    private static string[] Train(Folder folder)
    {
        string[] data = folder.Idx(30);
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        return data;
    }
}
