using System.Diagnostics;
using System.Text.Json;
using System.Xml.Linq;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>The verb spectrum.</summary>
public class SpectrumTests
{
    private const int Units = 5;

    [Fact]
    public void JsonHasTheContractsKeysAndThePageIsWellFormed()
    {
        using Folder folder = new();
        string[] data = Train(folder, 30);
        JsonElement json = Gsrnn.Run(["spectrum", folder["m"], .. data, "--json", "--report", folder["<a> & b.html"]]).Succeeds().Json;
        JsonElement layer = json.GetProperty("layers")[0];
        Assert.Equal(Units, layer.GetProperty("hidden").GetInt32());
        Assert.Equal(30 * 6, layer.GetProperty("steps").GetInt64());
        double[] eigenvalues = Numbers(layer.GetProperty("eigenvalues"));
        Assert.Equal(Units, eigenvalues.Length);
        Assert.Equal(eigenvalues.OrderDescending(), eigenvalues);

        // 1e-12: the trace is the eigenvalues' sum but for rounding.
        Assert.Equal(layer.GetProperty("trace").GetDouble(), eigenvalues.Sum(), 1e-12 * eigenvalues.Sum());
        Assert.Equal(1, Numbers(layer.GetProperty("leverage")).Sum(), 1e-12);
        foreach (JsonElement point in layer.GetProperty("degreesOfFreedom").EnumerateArray())
        {
            double lambda = point.GetProperty("lambda").GetDouble();
            Assert.Equal(eigenvalues.Sum(mu => mu / (mu + lambda)), point.GetProperty("value").GetDouble(), 1e-12);
        }

        JsonElement[] curves = [.. layer.GetProperty("losses").EnumerateArray()];
        Assert.Equal(["adjoint", "input", "output"], curves.Select(c => c.GetProperty("loss").GetString()).Distinct().Order());
        Assert.Equal(["backward", "greedy", "leverage", "random", "rank-bound"], curves.Select(c => c.GetProperty("selector").GetString()).Distinct().Order());
        Assert.All(curves, curve => Assert.Equal(Units + 1, Numbers(curve.GetProperty("byKept")).Length));
        JsonElement inputs = curves.First(c => c.GetProperty("loss").GetString() == "input" && c.GetProperty("selector").GetString() == "greedy");
        double[] greedy = Numbers(inputs.GetProperty("byKept"));
        Assert.Equal(eigenvalues.Sum(), greedy[0], 1e-9 * greedy[0]);
        for (int k = 1; k <= Units; k++) Assert.True(greedy[k] >= eigenvalues.Skip(k).Sum() * (1 - 1e-9), "no k units lose less than the tail");

        XElement page = XElement.Parse(File.ReadAllText(folder["<a> & b.html"])["<!DOCTYPE html>".Length..]);
        Assert.Contains("<a> & b.html", page.Descendants("code").Last().Value);
        Assert.Equal(6, page.Descendants("figure").Count());

        // Eighths of the units, the whole network last; the recommendation is one of them.
        JsonElement[] sizes = [.. json.GetProperty("sizes").EnumerateArray()];
        Assert.Equal($"{Units}", sizes[^1].GetProperty("keep").GetString());
        Assert.True(sizes[^1].GetProperty("divergence").GetDouble() < 1e-4, "all units with a ridge of 1e-4");
        string chosen = json.GetProperty("recommendation").GetProperty("keep")[0].GetRawText();
        Assert.Contains(chosen, sizes.Select(size => size.GetProperty("keep").GetString()));

        // The next call reads the same data.
        string next = page.Descendants().Where(part => !part.HasElements).Select(part => part.Value).First(text => text.StartsWith("gsrnn prune ", StringComparison.Ordinal));
        Assert.All(data, word => Assert.Contains(word, next, StringComparison.Ordinal));
    }

    [Fact]
    public void ShardsAddUpToOneRun()
    {
        using Folder folder = new();
        string[] all = Train(folder, 30);
        string[] first = [.. all, "--limit", "12", "--no-adjoint"], second = [.. all, "--holdout", "18", "--split", "valid", "--no-adjoint"];
        double[] whole = Numbers(Layer(Gsrnn.Run(["spectrum", folder["m"], .. all, "--no-adjoint", "--json"])).GetProperty("eigenvalues"));
        Gsrnn.Run(["spectrum", folder["m"], .. first, "--save-covariance", folder["s"], "-q"]).Succeeds();
        JsonElement sum = Layer(Gsrnn.Run(["spectrum", folder["m"], .. second, "--load-covariance", folder["s"], "--json"]));
        Assert.Equal(30 * 6, sum.GetProperty("steps").GetInt64());

        // Sums of doubles in another order.
        double[] added = Numbers(sum.GetProperty("eigenvalues"));
        for (int i = 0; i < whole.Length; i++) Assert.Equal(whole[i], added[i], 1e-12 * whole[0]);

        // Without any data: both parts from their files, and their sum in a third.
        Gsrnn.Run(["spectrum", folder["m"], .. second, "--save-covariance", folder["t"], "-q"]).Succeeds();
        string[] merge = ["spectrum", folder["m"], "--load-covariance", folder["s"], folder["t"], "--save-covariance", folder["sum"], "--json"];
        JsonElement merged = Layer(Gsrnn.Run(merge)), again = Layer(Gsrnn.Run(["spectrum", folder["m"], "--load-covariance", folder["sum"], "--json"]));
        Assert.Equal(added, Numbers(merged.GetProperty("eigenvalues")));
        Assert.Equal(added, Numbers(again.GetProperty("eigenvalues")));
        Assert.Equal(30 * 6, again.GetProperty("steps").GetInt64());
        Assert.Contains("l0.state", SafetensorsFile.Read(folder["sum"]).Arrays.Select(array => array.Name)); // the mean goes along
    }

    [Fact]
    public void DataWithoutLabels()
    {
        using Folder folder = new();
        string[] data = folder.Npy(20);
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        Outcome outcome = Gsrnn.Run(["spectrum", folder["m"], .. data[..4], "--limit", "1"]).Succeeds();
        Assert.Contains("L_G", outcome.Out);
    }

    [Fact]
    public void WrongCallsAreRefusedBeforeTheWork()
    {
        using Folder folder = new();
        string[] data = Train(folder, 30), call = ["spectrum", folder["m"], .. data];
        Gsrnn.Run([.. call, "--report", folder["none/page.html"]]).FailsWith(2, "--report", "there is no folder");
        Gsrnn.Run([.. call, "--save-covariance", folder["none/s"]]).FailsWith(2, "--save-covariance", "there is no folder");
        Gsrnn.Run([.. call, "--load-covariance", folder["none"]]).FailsWith(2, "none");
        Gsrnn.Run([.. call, "--load-covariance", folder["m"]]).FailsWith(2, "is not a covariance file");
        Gsrnn.Run(["spectrum", folder["m"]]).FailsWith(2, "--data", "--load-covariance");
        Gsrnn.Run([.. call, "--ridge", "-1"]).FailsWith(2, "--ridge -1");
        Gsrnn.Run([.. call, "--save-covariance", folder["s"], "-q"]).Succeeds();
        Gsrnn.Run([.. call, "--load-covariance", folder["s"], folder["s"]]).FailsWith(2, "twice");
        Gsrnn.Run(["train", .. data, "--hidden", "5", "--epochs", "1", "--seed", "2", "--out", folder["other"], "-q"]).Succeeds();
        Gsrnn.Run(["spectrum", folder["other"], .. data, "--load-covariance", folder["s"], "-q"]).FailsWith(2, "belongs to model");
    }

    [Fact]
    public void AnInterruptedRunKeepsWhatWasCollected()
    {
        if (OperatingSystem.IsWindows()) return;
        using Folder folder = new();
        string[] data = [.. folder.Npy(60_000, steps: 40, inputs: 3), "--device", "host"]; // others may compile kernels for longer than it is let run
        Gsrnn.Run(["train", .. data, "--limit", "10", "--hidden", "100", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        using Process process = Gsrnn.Start(folder.Path, ["spectrum", folder["m"], .. data, "--batch", "20", "--save-covariance", folder["s"]]);
        string said = "";
        while (!said.Contains("second moments")) said += process.StandardError.ReadLine() ?? throw new EndOfStreamException(said);
        Thread.Sleep(400);
        Gsrnn.Interrupt(process);
        Outcome outcome = Gsrnn.Finish(process);
        outcome.FailsWith(1, "Stopped after", "of 60,000 sequences", "their covariance is in");
        Assert.True(File.Exists(folder["s"]));
    }

    private static string[] Train(Folder folder, int count)
    {
        string[] data = folder.Idx(count);
        Gsrnn.Run(["train", .. data, "--hidden", Units.ToString(), "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        return data;
    }

    private static JsonElement Layer(Outcome outcome) => outcome.Succeeds().Json.GetProperty("layers")[0];

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];
}
