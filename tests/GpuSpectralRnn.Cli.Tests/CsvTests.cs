using System.Globalization;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Time series from the command line: trained, judged and forecast in the columns' own units.</summary>
public sealed class CsvTests : IDisposable
{
    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    private static double Load(int row) => 500 + (100 * Math.Sin(row * 0.3));

    private static double Drift(int row) => -3 + (0.01 * Math.Cos(row * 0.3));

    // Two waves, of which the second follows the first by a quarter.
    private string Waves(string name = "waves.csv", int rows = 300, Func<int, string?>? cell = null)
    {
        IEnumerable<string> lines = Enumerable.Range(0, rows).Select(r => string.Create(
            CultureInfo.InvariantCulture,
            $"2024-01-01T{r / 60 % 24:00}:{r % 60:00},{cell?.Invoke(r) ?? Load(r).ToString(CultureInfo.InvariantCulture)},{Drift(r):0.00000}"));
        File.WriteAllText(folder[name], "time,load,drift\n" + string.Join('\n', lines));
        return folder[name];
    }

    [Fact]
    public void A_model_forecasts_in_the_columns_units()
    {
        string[] data = ["--data", "csv", "--file", Waves(), "--device", "host"];
        string[] asked = ["--window", "8", "--horizon", "2", "--target", "load,drift"];
        Outcome trained = Gsrnn.Run(
            ["train", .. data, .. asked, "--hidden", "16", "--epochs", "30", "--lr", "0.02", "--batch", "16", "--report", folder["r.html"], "--out",
                folder["m"]]).Succeeds();
        Assert.Contains("'time' holds times", trained.Error);
        Assert.Contains("mean absolute error load", trained.Out);
        string page = File.ReadAllText(folder["r.html"]);
        Assert.Contains("Forecast against truth", page);
        Assert.Contains("truth", page);

        JsonElement result = Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Succeeds().Json;
        Assert.Equal("mse", result.GetProperty("metric").GetString());
        Assert.Equal(60, result.GetProperty("sequences").GetInt32());
        JsonElement[] targets = [.. result.GetProperty("targets").EnumerateArray()];
        Assert.Equal(["load", "drift"], targets.Select(target => target.GetProperty("name").GetString()));
        Assert.All(targets, target => Assert.InRange(target.GetProperty("r2").GetDouble(), 0.9, 1));
        Assert.InRange(targets[0].GetProperty("mae").GetDouble(), 0.01, 25); // of a wave of 100
        Assert.InRange(targets[1].GetProperty("mae").GetDouble(), 1e-6, 0.0025); // of one of 0.01

        // The model's columns; all windows, with those whose forecast lies beyond the file.
        JsonElement[] answers = [.. Gsrnn.Run("predict", folder["m"], "--file", folder["waves.csv"], "--device", "host", "--json").Succeeds().Json
            .GetProperty("answers").EnumerateArray()];
        Assert.Equal(300 - 7, answers.Length);
        Assert.EndsWith("+ 2 rows", answers[^1].GetProperty("name").GetString());
        for (int n = 0; n < answers.Length; n++)
        {
            Assert.Equal(Load(n + 9), answers[n].GetProperty("values").GetProperty("load").GetDouble(), 60.0);
        }

        Gsrnn.Run("predict", folder["m"], "--file", folder["waves.csv"], "--device", "host", "--out", folder["y.npy"]).Succeeds();
        byte[] numbers = File.ReadAllBytes(folder["y.npy"]);
        Assert.Equal(answers[^1].GetProperty("values").GetProperty("drift").GetDouble(), BitConverter.ToSingle(numbers.AsSpan(^4)), 1e-5);
    }

    [Fact]
    public void A_model_refuses_other_columns()
    {
        string file = Waves();
        string[] data = ["--data", "csv", "--file", file, "--device", "host"];
        Gsrnn.Run(["train", .. data, "--window", "8", "--target", "load", "--hidden", "4", "--epochs", "1", "--out", folder["m"]]).Succeeds();

        Gsrnn.Run(["eval", folder["m"], .. data, "--window", "8", "--horizon", "1", "--target", "load", "--columns", "load,drift"]).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. data, "--window", "9"]).FailsWith(2, "--window 9", "trained with 8");
        Gsrnn.Run(["eval", folder["m"], .. data, "--target", "drift"]).FailsWith(2, "--target drift", "load");
        File.WriteAllText(folder["other.csv"], "a,b\n1,2\n");
        Gsrnn.Run("eval", folder["m"], "--file", folder["other.csv"], "--device", "host").FailsWith(2, "no column 'load'");
    }

    [Fact]
    public void Gaps_and_texts_are_refused_with_their_place()
    {
        string[] train = ["train", "--data", "csv", "--window", "8", "--target", "drift", "--hidden", "4", "--epochs", "1", "--device", "host",
            "--out", folder["m"]];
        string gaps = Waves("gaps.csv", cell: r => r is 20 or 21 ? "" : null), texts = Waves("texts.csv", cell: r => r == 30 ? "high" : null);

        Gsrnn.Run([.. train, "--file", gaps]).FailsWith(2, "line 22", "'load'", "--missing");
        Gsrnn.Run([.. train, "--file", gaps, "--missing", "linear"]).Succeeds();
        Gsrnn.Run([.. train, "--file", texts]).FailsWith(2, "line 32", "'high'", "--columns");
        Gsrnn.Run([.. train, "--file", texts, "--columns", "drift"]).Succeeds();
    }

    [Fact]
    public void Wrong_calls_are_refused()
    {
        string[] train = ["train", "--data", "csv", "--hidden", "4", "--epochs", "1", "--device", "host", "--out", folder["m"]];
        string[] whole = [.. train, "--file", Waves(), "--window", "8", "--target", "load"];
        Gsrnn.Run(train).FailsWith(2, "--file");
        Gsrnn.Run([.. train, "--file", Waves()]).FailsWith(2, "--window");
        Gsrnn.Run([.. train, "--file", Waves(), "--window", "8"]).FailsWith(2, "--target");
        Gsrnn.Run([.. train, "--file", folder["nowhere"], "--window", "8", "--target", "load"]).FailsWith(2, "nowhere", "does not exist");
        Gsrnn.Run([.. whole, "--holdout", "10"]).FailsWith(2, "--parts");
        Gsrnn.Run([.. whole, "--parts", "50,50"]).FailsWith(2, "--parts");
        Gsrnn.Run([.. whole, "--parts", "50,30,30"]).FailsWith(2, "--parts", "100");
        Gsrnn.Run([.. whole, "--missing", "zero"]).FailsWith(2, "--missing", "previous");
        Gsrnn.Run([.. whole, "--separator", "ab"]).FailsWith(2, "--separator");
        Gsrnn.Run([.. whole, "--header", "maybe"]).FailsWith(2, "--header");
        Gsrnn.Run("eval", folder["m"]).FailsWith(2, "eval needs --data");
    }
}
