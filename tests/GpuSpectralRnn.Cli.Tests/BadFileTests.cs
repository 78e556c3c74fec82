using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Files that are missing, broken, or cannot be written.</summary>
public class BadFileTests
{
    [Fact]
    public void MissingFilesAreWrongCalls()
    {
        using Folder folder = new();
        string[] data = folder.Idx(6);
        File.Delete(folder["set-labels"]);
        Train(folder, data).FailsWith(2, "set-labels");
        Gsrnn.Run(["train", "--data", "npy", "--x", folder["none.npy"], "--out", folder["m"]]).FailsWith(2, "none.npy");
        Gsrnn.Run(["train", .. folder.Idx(6), "--init", folder["none"], "--out", folder["m"]]).FailsWith(2, "none");
    }

    [Theory]
    [InlineData("set-images")]
    [InlineData("set-labels")]
    public void TruncatedIdxIsABrokenFile(string name)
    {
        using Folder folder = new();
        string[] data = folder.Idx(9);
        folder.Truncate(name, 0.6);
        Train(folder, data).FailsWith(1, name);
    }

    [Fact]
    public void TruncatedNpyIsABrokenFile()
    {
        using Folder folder = new();
        string[] data = folder.Npy(9);
        folder.Truncate("x.npy", 0.8);
        Train(folder, data).FailsWith(1, "x.npy");
    }

    [Fact]
    public void TruncatedModelIsABrokenFile()
    {
        using Folder folder = new();
        string[] data = folder.Idx(9);
        Train(folder, data).Succeeds();
        folder.Truncate("m", 0.9);
        Gsrnn.Run(["eval", folder["m"], .. data]).FailsWith(1, folder["m"]);
        folder.Truncate("m", 0.01);
        Gsrnn.Run(["predict", folder["m"], .. data, "--out", folder["y.npy"]]).FailsWith(1, folder["m"]);
        folder.Truncate("m.ckpt", 0.5);
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--out", folder["m"], "--resume"]).FailsWith(1, "m.ckpt");
    }

    [Fact]
    public void WrongNumbersAreRefused()
    {
        using Folder folder = new();
        Train(folder, folder.Npy(9, poison: float.NaN)).FailsWith(2, "NaN");
        Train(folder, folder.Npy(9, poison: float.PositiveInfinity)).FailsWith(2, "x.npy");
        Train(folder, folder.Idx(0)).FailsWith(2, "set-images");
        Assert.False(File.Exists(folder["m"]));
    }

    [Fact]
    public void LabelsBeyondTheModelAreRefused()
    {
        using Folder folder = new();
        Train(folder, folder.Npy(9)).Succeeds();
        string[] data = folder.Npy(9);
        folder.Npy("y.npy", [9], Enumerable.Range(0, 9));
        Gsrnn.Run(["eval", folder["m"], .. data]).FailsWith(2, "label 2");
    }

    // The superuser may write into read-only folders, so these paths fail for everyone: /proc takes no files, and a file is no folder.
    [Theory]
    [InlineData("/proc/m.safetensors", 1)]
    [InlineData("set-images/m.safetensors", 2)]
    [InlineData("missing/m.safetensors", 2)]
    [InlineData(".", 2)]
    public void AnOutputThatCannotBeWrittenStopsBeforeTheWork(string path, int code)
    {
        using Folder folder = new();
        string[] data = folder.Idx(6);
        string output = Path.Combine(folder.Path, path);

        // A long run, which the test would notice, and no line about its start.
        string named = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : "--out";
        Gsrnn.Run(["train", .. data, "--epochs", "100000", "--out", output]).FailsWith(code, named);
        Train(folder, data).Succeeds();
        Gsrnn.Run(["predict", folder["m"], .. data, "--out", output]).FailsWith(code);
    }

    [Fact]
    public void ADivergedRunSaysWhereAndWhatToDo()
    {
        using Folder folder = new();
        string[] reckless = "train --cell rnn-relu --hidden 8 --epochs 5 --optimizer sgd --lr 1e30 --clip 0 -q".Split(' ');
        Outcome outcome = Gsrnn.Run([.. reckless, .. folder.Idx(30), "--out", folder["m"]]);
        outcome.FailsWith(1, "step", "learning rate");
        Assert.False(File.Exists(folder["m"]));
    }

    private static Outcome Train(Folder folder, string[] data) =>
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--out", folder["m"], "-q"]);
}
