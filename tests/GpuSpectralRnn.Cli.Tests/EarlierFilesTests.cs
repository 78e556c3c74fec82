using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>
/// Files that version 0.2.0 wrote, before networks were graphs (Golden/0.2.0): they are read, their runs go on and their networks are pruned to what
/// that version made of them.
/// </summary>
public class EarlierFilesTests
{
    // The same bits on a processor with the same vectors; with other ones the sums of some hundred products part in their last digits.
    private const double Tolerance = 2e-5;

    private static readonly string[] Digits =
    [
        "train", "--data", "digits", "--limit", "80", "--cell", "gru", "--hidden", "7,5", "--bidirectional", "--readout", "mean", "--dropout", "0.2",
        "--batch", "16", "--seed", "5", "--schedule", "constant", "--epochs", "2", "--resume", "--quiet",
    ];

    [Fact]
    public void RunsOverImagesGoOn() => GoesOn("model.ckpt", "resumed.safetensors", Digits);

    [Fact]
    public void RunsOverTextsGoOn() => GoesOn("text.ckpt", "text-resumed.safetensors", [
        "train", "--data", "text", "--train", Golden("train.txt"), "--unit", "word", "--cell", "lstm", "--hidden", "6", "--embedding", "6", "--tie-weights",
        "--batch", "2", "--bptt", "8", "--seed", "3", "--schedule", "constant", "--epochs", "2", "--resume", "--quiet"]);

    [Theory]
    [InlineData("adjoint")]
    [InlineData("paper")]
    [InlineData("paper-without")]
    [InlineData("random")]
    [InlineData("magnitude-unit")]
    [InlineData("magnitude-weight")]
    [InlineData("random-weight")]
    [InlineData("column")]
    public void NetworksArePrunedAlike(string method)
    {
        using Folder folder = new();
        Gsrnn.Run(["prune", Golden("resumed.safetensors"), "--data", "digits", "--limit", "80", "--keep", "4,3", "--method", method, "--refine", "off", "--quiet", "--out", folder["s"]])
            .Succeeds();

        AreAlike(Golden($"pruned-{method}.safetensors"), folder["s"]);
    }

    private static void GoesOn(string checkpoint, string model, string[] call)
    {
        using Folder folder = new();
        File.Copy(Golden(checkpoint), folder["m.ckpt"]);
        Gsrnn.Run([.. call, "--out", folder["m"]]).Succeeds();

        AreAlike(Golden(model), folder["m"]);
    }

    private static void AreAlike(string expected, string actual)
    {
        (SafetensorsFile before, SafetensorsFile now) = (SafetensorsFile.Read(expected), SafetensorsFile.Read(actual));
        Assert.Equal(before.Metadata.OrderBy(pair => pair.Key), now.Metadata.OrderBy(pair => pair.Key));
        Assert.Equal(before.Arrays.Select(array => (array.Name, array.Shape)), now.Arrays.Select(array => (array.Name, array.Shape)));
        foreach ((NamedArray a, NamedArray b) in before.Arrays.Zip(now.Arrays))
        {
            (float[] wanted, float[] found) = ((float[])a.Values, (float[])b.Values);
            for (int i = 0; i < wanted.Length; i++)
                Assert.True(Math.Abs(wanted[i] - found[i]) <= Tolerance * Math.Max(1, Math.Abs(wanted[i])), $"{a.Name}[{i}] was {wanted[i]} and is {found[i]}");
        }
    }

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", "0.2.0", name);
}
