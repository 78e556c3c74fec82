using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Data that can be read but are not what they seem: what the program says of them.</summary>
public class DataNoteTests
{
    private static readonly string[] Small = ["--hidden", "2", "--cell", "gru", "--epochs", "1"];

    [Fact]
    public void OneClassOnlyIsSaid()
    {
        using Folder folder = new();
        string[] x = folder.Npy(6)[..4];
        string zeros = folder.Npy("zeros.npy", [6], new int[6]), threes = folder.Npy("threes.npy", [6], Enumerable.Repeat(3, 6));
        Assert.Contains("one class", Train(folder, [.. x, "--y", zeros]));
        Assert.Contains("is 3", Train(folder, [.. x, "--y", threes]));
        Assert.Contains("one class", Train(folder, folder.Idx(6, classes: 1)));
        Assert.DoesNotContain("one class", Train(folder, folder.Idx(6, classes: 2)));
        Assert.Contains("one class", Train(folder, ["--data", "text", "--train", folder.Text("text", "a", 60), "--unit", "char"]));
    }

    [Fact]
    public void WholeNumbersAsTargetsAreSaidToMakeARegression()
    {
        using Folder folder = new();
        string[] x = folder.Npy(6)[..4];
        Assert.Contains("astype('int32')", Train(folder, [.. x, "--y", folder.Npy("y.npy", [6], [0f, 1f, 2f, 1f, 0f, 2f])]));
        Assert.DoesNotContain("astype", Train(folder, [.. x, "--y", folder.Npy("z.npy", [6], [0f, 1f, 2f, 1.5f, 0f, 2f])]));
    }

    [Fact]
    public void ImageLabelsMayBeginAtOneAndPassNine()
    {
        using Folder folder = new();
        Assert.Equal(Parameters(27), Gsrnn.Run(["train", .. folder.Idx(30, badLabel: 26), .. Small, "--out", folder["m"], "--json", "-q"]).Succeeds()
            .Json.GetProperty("parameters").GetInt32());
        Assert.Equal(Parameters(10), Gsrnn.Run(["train", .. folder.Idx(30), .. Small, "--out", folder["n"], "--json", "-q"]).Succeeds()
            .Json.GetProperty("parameters").GetInt32());
        Gsrnn.Run(["eval", folder["n"], .. folder.Idx(30, badLabel: 26)]).FailsWith(2, "label 26", "10");

        static int Parameters(int classes) => (3 * 2 * (6 + 2 + 2)) + (classes * 3); // a GRU of 2 units and 6 inputs, and the read-out
    }

    [Fact]
    public void OtherDataUnderTheSameNameAreNotResumed()
    {
        using Folder folder = new();
        string[] data = folder.Npy(8);
        string[] Call(int epochs) => ["train", .. data, "--hidden", "2", "--epochs", $"{epochs}", "--schedule", "constant", "--out", folder["m"], "-q"];
        Gsrnn.Run(Call(1)).Succeeds();
        Gsrnn.Run([.. Call(2), "--resume"]).Succeeds();
        folder.Npy(8, poison: 2);
        Gsrnn.Run([.. Call(3), "--resume"]).FailsWith(2, "same data");
    }

    [Theory]
    [InlineData("101")]
    [InlineData("100000")]
    [InlineData("2147483647")]
    public void MoreLayersThanMakeSenseAreRefused(string layers)
    {
        using Folder folder = new();
        Gsrnn.Run(["train", .. folder.Npy(6), "--hidden", "1", "--layers", layers, "--out", folder["m"]]).FailsWith(2, $"--layers {layers}", "100");
    }

    [Theory]
    [InlineData("""{\"cell\":7}""", "'cell'")]
    [InlineData("""{\"cell\":\"gru\"}""", "missing")]
    [InlineData("""[]""", "no valid JSON object")]
    public void BrokenMetadataAreToldWithoutNamesOfTheRuntime(string architecture, string said)
    {
        using Folder folder = new();
        byte[] header = System.Text.Encoding.ASCII.GetBytes($$$"""{"__metadata__":{"gsrnn.architecture":"{{{architecture}}}"}}""");
        File.WriteAllBytes(folder["m"], [.. BitConverter.GetBytes((long)header.Length), .. header]);
        Outcome outcome = Gsrnn.Run(["eval", folder["m"], .. folder.Npy(4)]).FailsWith(1, said);
        Assert.DoesNotContain("GpuSpectralRnn.", outcome.Error);
        Assert.DoesNotContain("System.", outcome.Error);
    }

    // What a training run says beside its result.
    private static string Train(Folder folder, string[] data) => Gsrnn.Run(["train", .. data, .. Small, "--out", folder["m"]]).Succeeds().Error;
}
