using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public class SecondMomentsTests
{
    [Fact]
    public void Shards_add_up_to_the_whole()
    {
        Matrix first = RandomMatrix.Gram(5, 1), second = RandomMatrix.Gram(5, 2);
        SecondMoments sum = new("model", "l0", first, 30);
        sum.Add(new SecondMoments("model", "l0", second, 10));

        Assert.Equal(40, sum.Weight);
        Close.Equal((1.0 / 40 * (first + second)).Data, sum.Mean().Data, 1e-15, 0, "mean");
    }

    [Fact]
    public void Shards_of_another_model_or_layer_are_refused()
    {
        SecondMoments sum = new("model", "l0", Matrix.Identity(3), 1);

        Assert.Contains("other", Assert.Throws<InvalidCallException>(() => sum.Add(new SecondMoments("other", "l0", Matrix.Identity(3), 1))).Message);
        Assert.Throws<InvalidCallException>(() => sum.Add(new SecondMoments("model", "l1", Matrix.Identity(3), 1)));
        Assert.Throws<InvalidCallException>(() => sum.Add(new SecondMoments("model", "l0", Matrix.Identity(4), 1)));
        Assert.Equal(1, sum.Weight);
    }

    [Fact]
    public void Not_a_number_and_nothing_are_refused()
    {
        Assert.Throws<RunFailedException>(() => new SecondMoments("model", "l0", Matrix.From(1, 1, [double.NaN]), 1));
        Assert.Throws<RunFailedException>(() => new SecondMoments("model", "l0", Matrix.Identity(1), double.PositiveInfinity));
        Assert.Throws<ArgumentException>(() => new SecondMoments("model", "l0", new Matrix(1, 2), 1));
        Assert.Throws<InvalidCallException>(() => new SecondMoments("model", "l0", new Matrix(2, 2), 0).Mean());
    }

    [Fact]
    public void Files_keep_every_bit()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("covariance.safetensors");
        SecondMoments[] layers = [new("abc", "l0", RandomMatrix.Gram(7, 1), 12.5), new("abc", "l0_reverse", RandomMatrix.Gram(3, 2), 4)];
        SecondMomentsFile.Save(path, layers);
        IReadOnlyList<SecondMoments> loaded = SecondMomentsFile.Load(path);

        Assert.Equal(["l0", "l0_reverse"], loaded.Select(c => c.Layer));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(layers[i].Sums.Data, loaded[i].Sums.Data);
            Assert.Equal(layers[i].Weight, loaded[i].Weight);
            Assert.Equal("abc", loaded[i].Fingerprint);
        }

        Assert.Throws<ArgumentException>(() => SecondMomentsFile.Save(path, [layers[0], new("other", "l1", Matrix.Identity(1), 1)]));
        Assert.Equal(2, SecondMomentsFile.Load(path).Count);
    }

    [Fact]
    public void Other_and_damaged_files_are_refused()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("covariance.safetensors");
        Assert.Throws<InvalidCallException>(() => SecondMomentsFile.Load(path));
        SafetensorsFile.Write(path, [NamedArray.Create<float>("w", new(1), [1])]);
        Assert.Contains("covariance", Assert.Throws<InvalidCallException>(() => SecondMomentsFile.Load(path)).Message);

        SecondMomentsFile.Save(path, [new SecondMoments("abc", "l0", RandomMatrix.Gram(7, 1), 1)]);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^40]);
        Assert.Throws<BrokenFileException>(() => SecondMomentsFile.Load(path));
    }
}
