using System.IO.Compression;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Data;

public sealed class CifarDataTests : IDisposable
{
    private const int Plane = 32 * 32;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Planes_become_pixels_of_red_green_and_blue()
    {
        folder.Put("data_batch_1.bin", Image(3, (colour, i) => (byte)((i + (100 * colour)) % 256)));

        ImageData rows = CifarData.Load(folder.Root, DataPart.Train, ImageView.Row)!,
            pixels = CifarData.Load(folder.Root, DataPart.Train, ImageView.Pixel)!;
        ImageData permuted = CifarData.Load(folder.Root, DataPart.Train, ImageView.Permuted)!;

        Assert.Equal(new SequenceLayout(32, 96, TargetKind.Label, 10), rows.Layout);
        Assert.Equal(new SequenceLayout(1024, 3, TargetKind.Label, 10), pixels.Layout);
        float[] expected = [.. Enumerable.Range(0, Plane)
            .SelectMany(i => Enumerable.Range(0, 3).Select(colour => (i + (100 * colour)) % 256 / 255f))];
        Assert.Equal(expected, Read(rows).Inputs.ToArray());
        Assert.Equal(expected, Read(pixels).Inputs.ToArray());
        Assert.Equal(ImageData.Permutation(Plane).SelectMany(i => expected.Skip(3 * i).Take(3)), Read(permuted).Inputs.ToArray());
        Assert.Equal([3], Read(rows).Labels.ToArray());
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("gz")]
    [InlineData("tar")]
    public void Batches_are_read_as_they_are_shipped(string packed)
    {
        (string Name, byte[] Content)[] files =
        [
            ("cifar-10-batches-bin/data_batch_2.bin", [.. Image(2, (_, _) => 2), .. Image(3, (_, _) => 3)]),
            ("cifar-10-batches-bin/data_batch_1.bin", Image(1, (_, _) => 1)),
            ("cifar-10-batches-bin/test_batch.bin", Image(9, (_, _) => 9)),
            ("cifar-10-batches-bin/batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"u8.ToArray()),
        ];
        string path = packed switch
        {
            "tar" => folder.Put("cifar-10-binary.tar.gz", SoundFiles.Tar(files)),
            "gz" => SoundFiles.Put(folder.Root, files.Select(
                file => file.Name.EndsWith("bin", StringComparison.Ordinal) ? (file.Name + ".gz", Gzip(file.Content)) : file)),
            _ => SoundFiles.Put(folder.Root, files),
        };

        Assert.Equal([1, 2, 3], Read(CifarData.Load(path, DataPart.Train, ImageView.Row)!).Labels.ToArray());
        Assert.Equal([9], Read(CifarData.Load(path, DataPart.Test, ImageView.Row)!).Labels.ToArray());
        Assert.Null(CifarData.Load(path, DataPart.Valid, ImageView.Row));
        Assert.Equal(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], CifarData.ReadNames(path));
    }

    [Fact]
    public void Damaged_batches_are_refused()
    {
        byte[] image = Image(1, (_, _) => 1);
        Refused("data_batch_1.bin", image[..^1], "truncated");
        Refused("data_batch_1.bin", [], "empty");
        Refused("data_batch_1.bin", [.. image, .. Image(10, (_, _) => 0)], "label of image 1 is 10");
        Refused("data_batch_1.bin.gz", Gzip(image)[..^4], "corrupt");
        Refused("data_batch_1.bin.gz", Gzip(new byte[3073 * 100_000]), "unpacks to more");
    }

    private static byte[] Image(byte label, Func<int, int, byte> value) =>
        [label, .. Enumerable.Range(0, 3).SelectMany(colour => Enumerable.Range(0, Plane).Select(i => value(colour, i)))];

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream packed = new();
        using (GZipStream stream = new(packed, CompressionLevel.Optimal)) stream.Write(content);
        return packed.ToArray();
    }

    private static Batch Read(ImageData data)
    {
        Batch batch = new(data.Layout, data.Count);
        data.Read([.. Enumerable.Range(0, data.Count)], batch);
        return batch;
    }

    private void Refused(string name, byte[] content, string why)
    {
        foreach (string old in Directory.EnumerateFiles(folder.Root)) File.Delete(old);
        folder.Put(name, content);
        Assert.Contains(why, Assert.Throws<BrokenFileException>(() => CifarData.Load(folder.Root, DataPart.Train, ImageView.Row)).Message);
    }
}
