using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

public sealed class CifarTests : IDisposable
{
    private readonly Folder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("row", 96)]
    [InlineData("pixel", 3)]
    public void Images_are_learnt_in_every_view(string view, int inputs)
    {
        File.WriteAllBytes(folder["data_batch_1.bin"], [.. Enumerable.Range(0, 20).SelectMany(n => Image(n % 10))]);
        File.WriteAllBytes(folder["test_batch.bin"], [.. Enumerable.Range(0, 10).SelectMany(Image)]);
        string[] data = ["--data", "cifar10", "--data-dir", folder.Path, "--device", "host"];

        Outcome trained = Gsrnn.Run(["train", .. data, "--view", view, "--hidden", "4", "--epochs", "1", "--out", folder["m"]]).Succeeds();
        Assert.Contains($"{inputs}-4-10", trained.Error);
        Assert.Equal(10, Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Succeeds().Json.GetProperty("sequences").GetInt32());
        Assert.Contains("sequence 0: ", Gsrnn.Run(["predict", folder["m"], .. data]).Succeeds().Out);
    }

    [Fact]
    public void What_is_not_there_or_damaged_is_refused()
    {
        string[] train = ["train", "--data", "cifar10", "--device", "host", "--out", folder["m"]];
        Gsrnn.Run(train).FailsWith(2, "--data-dir");
        Gsrnn.Run([.. train, "--data-dir", folder["nowhere"]]).FailsWith(2, "does not exist");
        Gsrnn.Run([.. train, "--data-dir", folder.Path]).FailsWith(2, "data_batch_1.bin");
        File.WriteAllBytes(folder["data_batch_1.bin"], Image(1)[..3000]);
        Gsrnn.Run([.. train, "--data-dir", folder.Path]).FailsWith(1, "data_batch_1.bin", "truncated");
    }

    private static byte[] Image(int label) => [(byte)label, .. Enumerable.Range(0, 3072).Select(i => (byte)((i * 7) + label))];
}
