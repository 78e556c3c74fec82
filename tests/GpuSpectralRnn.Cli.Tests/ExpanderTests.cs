using System.Text.Json;
using System.Xml.Linq;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Masks in training, what becomes of them in files, and the verb expander.</summary>
public class ExpanderTests
{
    private static readonly string[] Call =
        ["train", "--data", "digits", "--limit", "40", "--batch", "8", "--hidden", "32", "--epochs", "4", "--device", "host", "-q"];

    [Fact]
    public void JsonHasTheContractsKeysAndThePageIsWellFormed()
    {
        using Folder folder = new();
        Gsrnn.Run([.. Call, "--cell", "lstm", "--method", "biregular", "--density", "0.25", "--out", folder["m"]]).Succeeds();
        JsonElement json = Gsrnn.Run("expander", folder["m"], "--json", "--report", folder["<a> & b.html"], "-q").Succeeds().Json;
        JsonElement[] layers = [.. json.GetProperty("layers").EnumerateArray()];
        Assert.Equal(5 + 5 + 1, layers.Length); // W_ih and W_hh with four gates and their union; the read-out
        JsonElement gate = layers.Single(layer => layer.GetProperty("name").GetString() == "rnn.weight_hh_l0[2]");
        Assert.Equal((32, 32, 256), (gate.GetProperty("left").GetInt32(), gate.GetProperty("right").GetInt32(),
            gate.GetProperty("edges").GetInt32()));
        Assert.Equal(0.25, gate.GetProperty("density").GetDouble());
        Assert.Equal(8, gate.GetProperty("sigma1").GetDouble(), 1e-6); // sqrt(d_L d_R)
        double sigma2 = gate.GetProperty("sigma2").GetDouble(), delta = gate.GetProperty("deltaR").GetDouble();
        Assert.Equal((2 * Math.Sqrt(7)) - sigma2, delta, 1e-9);
        Assert.Equal(delta, gate.GetProperty("deltaS").GetDouble(), 1e-6); // degrees are equal, so are the bounds
        Assert.Equal(delta, gate.GetProperty("imdb").GetDouble(), 1e-6);
        Assert.Equal(delta / (2 * Math.Sqrt(7)), gate.GetProperty("relative").GetDouble(), 1e-9);
        Assert.Equal((1 - (sigma2 / 8)) / 2, gate.GetProperty("cheegerLower").GetDouble(), 1e-6);
        Assert.Equal(delta >= 0, gate.GetProperty("ramanujan").GetBoolean());
        foreach (string key in (string[])["weightedGap", "cheegerUpper", "gap"]) Assert.Equal(JsonValueKind.Number, gate.GetProperty(key).ValueKind);
        JsonElement readout = layers[^1];
        Assert.Equal(JsonValueKind.Null, readout.GetProperty("ramanujan").ValueKind); // 2.5 edges to an input
        Assert.Equal(1, json.GetProperty("reachability").EnumerateArray().Last().GetDouble());

        XElement page = XElement.Parse(File.ReadAllText(folder["<a> & b.html"])["<!DOCTYPE html>".Length..]);
        Assert.Contains("<a> & b.html", page.Descendants("code").Last().Value);
        string text = page.Value;
        foreach (string title in (string[])["Singular values of the mask", "over its bound against density", "biregular", "random",
            "Mask, 32 outputs down", "The graph"])
            Assert.Contains(title, text);
        Assert.Contains("of 10 layers are Ramanujan", Gsrnn.Run("expander", folder["m"]).Succeeds().Out);
    }

    [Fact]
    public void ADenseModelIsComplete()
    {
        using Folder folder = new();
        Gsrnn.Run([.. Call, "--cell", "rnn-tanh", "--out", folder["m"]]).Succeeds();
        Outcome outcome = Gsrnn.Run("expander", folder["m"]).Succeeds();
        Assert.Contains("every layer that can be judged is complete", outcome.Out);
    }

    [Fact]
    public void AnExpanderStopsWhereALayerWouldNotExpand()
    {
        using Folder folder = new();
        JsonElement pruning = Gsrnn.Run([.. Call, "--cell", "rnn-tanh", "--method", "expander", "--density", "0.05", "--expansion-limit", "0.1",
            "--masked", "hidden",
            "--out", folder["m"], "--json"]).Succeeds().Json.GetProperty("pruning");
        JsonElement layer = pruning.GetProperty("layers")[0];
        Assert.True(layer.GetProperty("frozen").GetBoolean());
        Assert.True(layer.GetProperty("relative").GetDouble() >= 0.1);
        JsonElement told = Gsrnn.Run("expander", folder["m"], "--json").Succeeds().Json.GetProperty("layers")[1];
        Assert.Equal(layer.GetProperty("density").GetDouble(), told.GetProperty("density").GetDouble());
        Assert.Equal(layer.GetProperty("relative").GetDouble(), told.GetProperty("relative").GetDouble(), 1e-9);
    }

    [Fact]
    public void BlocksAreStoredAloneAndReadBack()
    {
        using Folder folder = new();
        string[] masked = [.. Call, "--cell", "gru", "--method", "biregular", "--density", "0.25", "--masked", "hidden"];
        JsonElement trained = Gsrnn.Run([.. masked, "--block", "8x8", "--out", folder["blocks"], "--json"]).Succeeds().Json;
        Gsrnn.Run([.. masked, "--out", folder["single"]]).Succeeds();
        long saved = new FileInfo(folder["single"]).Length - new FileInfo(folder["blocks"]).Length;
        Assert.True(saved > 3 * 32 * 32 * 3 / 4 * sizeof(float) * 0.9, $"{saved}"); // three quarters of three gates
        Assert.DoesNotContain("gsrnn.mask", File.ReadAllText(folder["blocks"]));

        JsonElement read = Gsrnn.Run("eval", folder["blocks"], "--data", "digits", "--limit", "2000", "--json", "-q").Succeeds().Json;
        Assert.Equal(trained.GetProperty("metric").GetProperty("value").GetDouble(), read.GetProperty("value").GetDouble());
        Assert.Equal(trained.GetProperty("pruning").GetProperty("kept").GetInt32(),
            Gsrnn.Run("expander", folder["blocks"], "--json", "-q").Succeeds().Json.GetProperty("kept").GetInt32());

        // Trained further, the mask stays.
        Gsrnn.Run([.. Call.Except(["--hidden", "32"]), "--init", folder["blocks"], "--out", folder["further"]]).Succeeds();
        Assert.Equal(
            trained.GetProperty("pruning").GetProperty("kept").GetInt32(),
                Gsrnn.Run("expander", folder["further"], "--json", "-q").Succeeds().Json.GetProperty("kept").GetInt32());
    }

    [Fact]
    public void UnitsWithoutWeightsAreSlicedAwayWithParity()
    {
        using Folder folder = new();
        JsonElement pruning = Gsrnn.Run([.. Call, "--cell", "lstm", "--method", "random-mask", "--density", "0.1", "--block", "8x8", "--out",
            folder["m"], "--json"])
            .Succeeds().Json.GetProperty("pruning");
        Assert.True(pruning.GetProperty("hidden").GetProperty("after")[0].GetInt32() < 32);
        Assert.True(pruning.GetProperty("parity").GetDouble() < 1e-4);
    }

    [Theory]
    [InlineData("needs one aim: --density", "--method", "expander")]
    [InlineData("--density 0", "--method", "lift", "--density", "0")]
    [InlineData("--density belongs to --method", "--method", "l0", "--target-fraction", "0.5", "--density", "0.5")]
    [InlineData("--step-fraction 1", "--method", "magnitude", "--density", "0.5", "--step-fraction", "1")]
    [InlineData("--stop belongs to --method expander", "--method", "magnitude", "--density", "0.5", "--stop", "gap")]
    [InlineData("needs an --expansion-limit", "--method", "expander", "--density", "0.5", "--stop", "gap")]
    [InlineData("--stop none is --method magnitude", "--method", "expander", "--density", "0.5", "--stop", "none")]
    [InlineData("--rewind 9", "--method", "magnitude", "--density", "0.5", "--rewind", "9")]
    [InlineData("--block 8", "--method", "biregular", "--density", "0.5", "--block", "8")]
    [InlineData("--masked some", "--method", "biregular", "--density", "0.5", "--masked", "some")]
    public void WrongCallsAreOneLine(string expected, params string[] options)
    {
        using Folder folder = new();
        Gsrnn.Run([.. Call, .. options, "--out", folder["m"]]).FailsWith(2, expected);
    }

    [Fact]
    public void DamagedBlocksAreToldOf()
    {
        using Folder folder = new();
        Gsrnn.Run([.. Call, "--cell", "rnn-tanh", "--method", "biregular", "--density", "0.25", "--masked", "hidden", "--block", "8x8", "--out",
            folder["m"]]).Succeeds();
        byte[] bytes = File.ReadAllBytes(folder["m"]);
        foreach ((string from, string to, string said) in (ReadOnlySpan<(string, string, string)>)
        [
            ("rnn.weight_hh_l0.blocks", "rnn.weight_hh_l0.blOcks", "lacks the tensor rnn.weight_hh_l0.blocks"),
            ("\\\"rows\\\":8", "\\\"rows\\\":0", "impossible extents"),
            ("\\\"rows\\\":8", "\\\"rows\\\":4", "bytes"),
            ("\\\"rows\\\":8", "\\\"rows\\\":x", "cannot be read"),
        ])
        {
            File.WriteAllBytes(folder["broken"], Replace(bytes, from, to));
            Gsrnn.Run("expander", folder["broken"]).FailsWith(1, said);
        }
    }

    // As long as before, so that the header's length stays right.
    private static byte[] Replace(byte[] bytes, string from, string to)
    {
        byte[] result = [.. bytes], what = System.Text.Encoding.ASCII.GetBytes(from);
        int at = bytes.AsSpan().IndexOf(what);
        if (at < 0) // the serializer may escape quotes otherwise
        {
            what = System.Text.Encoding.ASCII.GetBytes(from.Replace("\\\"", "\\u0022"));
            to = to.Replace("\\\"", "\\u0022");
            at = bytes.AsSpan().IndexOf(what);
        }

        Assert.True(at >= 0, from);
        System.Text.Encoding.ASCII.GetBytes(to).CopyTo(result, at);
        return result;
    }
}
