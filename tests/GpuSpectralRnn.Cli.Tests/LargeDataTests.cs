using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Sets of several files, and sets of more numbers than an array holds.</summary>
public class LargeDataTests
{
    private static readonly string[] Small = ["--cell", "gru", "--hidden", "6", "--epochs", "1", "--batch", "8", "-q"];

    [Fact]
    public void SeveralFilesAreOneSet()
    {
        using Folder folder = new();
        string[] whole = folder.Npy(24);
        (float[] x, int[] y) = (NpyFile.Read(folder["x.npy"]).As<float>(), NpyFile.Read(folder["y.npy"]).As<int>());
        int first = 0;
        foreach ((int part, int count) in new[] { (8, 5), (9, 9), (10, 10) })
        {
            folder.Npy($"x-{part}.npy", [count, 5, 2], x[(first * 10)..((first + count) * 10)]);
            folder.Npy($"y-{part}.npy", [count], y[first..(first + count)]);
            first += count;
        }

        string[] parts = ["--data", "npy", "--x", folder["x-*.npy"], "--y", folder["y-*.npy"]];
        Gsrnn.Run(["train", .. whole, .. Small, "--out", folder["a"]]).Succeeds();
        Gsrnn.Run(["train", .. parts, .. Small, "--out", folder["b"]]).Succeeds();
        Gsrnn.Run(["predict", folder["a"], .. whole[..4], "--out", folder["a.npy"]]).Succeeds();
        Gsrnn.Run(["predict", folder["a"], .. parts[..4], "--out", folder["b.npy"]]).Succeeds();

        Assert.Equal(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]));
        Assert.Equal(File.ReadAllBytes(folder["a.npy"]), File.ReadAllBytes(folder["b.npy"]));
        Gsrnn.Run(["predict", folder["a"], .. parts[..4], "--out", folder["x-9.npy"]]).FailsWith(2, "x-9.npy", "--x");
        Gsrnn.Run(["predict", folder["a"], "--data", "npy", "--x", folder["none-*.npy"], "--out", folder["c.npy"]]).FailsWith(2, "No file is called", "none-*.npy");
        folder.Npy("x-9.npy", [9, 5, 3], new float[135]);
        Gsrnn.Run(["eval", folder["a"], .. parts]).FailsWith(2, "x-8.npy has the shape [5, 5, 2] but", "x-9.npy [9, 5, 3]");
    }

    [Fact]
    public void EveryVerbReadsASetOfMoreNumbersThanAnArrayHolds()
    {
        using Folder folder = new();
        Shape shape = new(1_100_000, 20, 100); // 2,200,000,000 numbers, 8.8 GB, nearly all of them holes
        NpyFile.Write(folder["x.npy"], shape, write =>
        {
            for (int n = 0; n < 64; n++) write(n, [.. Enumerable.Range(0, 2000).Select(i => MathF.Sin((n * 31) + (i * 0.7f)))]);
            write(shape[0] - 1, [.. Enumerable.Repeat(float.NaN, 2000)]);
        });
        NpyFile.Write(folder["t.npy"], new Shape(shape[0], 1), write => write(3, [1f]));
        string[] x = ["--data", "npy", "--x", folder["x.npy"]], data = [.. x, "--y", folder["t.npy"]], few = ["--limit", "60", "-q"];

        Outcome trained = Gsrnn.Run(["train", .. data, .. Small[..^1], "--limit", "60", "--out", folder["m"]]).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. data, .. few]).Succeeds();
        Gsrnn.Run(["predict", folder["m"], .. x, .. few, "--out", folder["y.npy"]]).Succeeds();
        Gsrnn.Run(["spectrum", folder["m"], .. x, .. few]).Succeeds();
        Gsrnn.Run(["prune", folder["m"], .. data, .. few, "--keep", "3", "--refine", "off", "--out", folder["s"]]).Succeeds();
        Gsrnn.Run(["compare", .. data, .. Small, "--limit", "60", "--holdout", "4", "--keep", "3", "--methods", "adjoint,random"]).FailsWith(2, "[1099999, 0, 0]");

        Assert.Contains("1,100,000 sequences, 8.8 GB, stay in their files", trained.Error, StringComparison.Ordinal);
        Assert.Equal(new Shape(60, 1), NpyFile.Read(folder["y.npy"]).Shape);
    }

    [Fact]
    public void AllIsComparedOfASetThatIsNotKept()
    {
        using Folder folder = new();
        NpyFile.Write(folder["x.npy"], new Shape(40, 6000, 300), write => // 288 MB
        {
            for (int n = 0; n < 40; n++)
            {
                float[] row = new float[1_800_000];
                for (int i = 0; i < 50; i++) row[i * 36_000] = MathF.Sin((n * 7) + i);
                write(n, row);
            }
        });
        string y = folder.Npy("y.npy", [40], Enumerable.Range(0, 40).Select(n => n % 2));
        string[] data = ["--data", "npy", "--x", folder["x.npy"], "--y", y];

        Outcome compared = Gsrnn.Run(
            ["compare", .. data, "--cell", "rnn-tanh", "--hidden", "2", "--epochs", "1", "--batch", "2", "--holdout", "8", "--keep", "1", "--methods", "magnitude-unit,random", "--json"]);

        Assert.Equal(2, compared.Succeeds().Json.GetProperty("rows").GetArrayLength() - 1);
        Assert.Contains("stay in their files", compared.Error, StringComparison.Ordinal);
    }
}
