using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Sequences of unequal length from NPY files: what stands beyond a length never counts, whatever the verb.</summary>
public class LengthsTests
{
    private const int Count = 24;
    private const int Steps = 5;

    [Theory]
    [InlineData("irnn", "last", false)]
    [InlineData("lstm", "mean", true)]
    [InlineData("gru", "last", true)]
    public void Padding_changes_no_bit_of_training_and_prediction(string cell, string readout, bool isBidirectional)
    {
        using Folder folder = new();
        string[][] results = [.. new[] { 0f, float.NaN }.Select(padding =>
        {
            string[] data = Write(folder, padding);
            string[] directions = isBidirectional ? ["--bidirectional"] : [];
            string[] model = ["--cell", cell, "--readout", readout, "--hidden", "6", .. directions, "--epochs", "2", "--batch", "7"];
            Gsrnn.Run(["train", .. data, .. model, "--out", folder["m"], "-q"]).Succeeds();
            Gsrnn.Run(["predict", folder["m"], .. data, "--out", folder["y.npy"], "-q"]).Succeeds();
            string value = Gsrnn.Run(["eval", folder["m"], .. data, "--json", "-q"]).Succeeds().Json.GetProperty("loss").GetRawText();
            return new[] { Hex(folder["m"]), Hex(folder["y.npy"]), value };
        })];

        Assert.Equal(results[0], results[1]);
        string[] whole = Write(folder, 0.5f)[..^2];
        Gsrnn.Run(["predict", folder["m"], .. whole, "--out", folder["whole.npy"], "-q"]).Succeeds();
        Assert.NotEqual(results[0][1], Hex(folder["whole.npy"]));
    }

    [Fact]
    public void Every_verb_over_data_takes_lengths()
    {
        using Folder folder = new();
        string[] data = Write(folder, float.NaN);
        Gsrnn.Run(["train", .. data, "--cell", "lstm", "--hidden", "6", "--epochs", "2", "--out", folder["m"], "-q"]).Succeeds();
        Gsrnn.Run(["spectrum", folder["m"], .. data, "--json", "-q"]).Succeeds();
        Gsrnn.Run(["prune", folder["m"], .. data, "--method", "spectral", "--keep", "3", "--out", folder["small"], "-q"]).Succeeds();
        Gsrnn.Run(["compare", .. data, "--holdout", "6", "--cell", "gru", "--hidden", "6", "--epochs", "1", "--keep", "3", "--methods", "adjoint,random", "-q"]).Succeeds();
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        using Folder folder = new();
        string[] data = folder.Npy(4, Steps);
        void Refused(string problem, params int[] lengths) =>
            Gsrnn.Run(["train", .. data, "--lengths", folder.Npy("l.npy", [lengths.Length], lengths), "--out", folder["m"], "-q"]).FailsWith(2, problem);
        Refused("length 6 of sequence 3 is outside 1 to 5", 1, 2, 5, 6);
        Refused("length 0 of sequence 0", 0, 2, 5, 5);
        Refused("4 sequences", 1, 2, 5);
        Gsrnn.Run("train", "--data", "digits", "--lengths", folder["l.npy"], "--out", folder["m"]).FailsWith(2, "--lengths belongs to --data npy");
        Gsrnn.Run(["train", .. data, "--lengths", folder["none.npy"], "--out", folder["m"]]).FailsWith(2, "none.npy");
    }

    // Sequences of 1 to T steps; beyond them stands `padding`.
    private static string[] Write(Folder folder, float padding)
    {
        int[] lengths = [.. Enumerable.Range(0, Count).Select(n => 1 + (n * 3 % Steps))];
        float[] x = [.. Enumerable.Range(0, Count * Steps).Select(i => i % Steps < lengths[i / Steps] ? MathF.Sin(1.7f * i) : padding)];
        return
        [
            "--data", "npy", "--x", folder.Npy("x.npy", [Count, Steps, 1], x), "--y", folder.Npy("y-labels.npy", [Count], Enumerable.Range(0, Count).Select(n => n % 2)),
            "--lengths", folder.Npy("l.npy", [Count], lengths),
        ];
    }

    private static string Hex(string path) => Convert.ToHexString(File.ReadAllBytes(path));
}
