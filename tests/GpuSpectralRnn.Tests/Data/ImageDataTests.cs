using System.Buffers.Binary;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Data;

public sealed class ImageDataTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_row_view_shows_row_after_row()
    {
        Batch batch = Read(ImageView.Row, 2, 0);

        Assert.Equal(new SequenceLayout(2, 3, TargetKind.Label, 10), batch.Layout);
        Assert.Equal([9, 0], batch.Labels.ToArray());
        Assert.Equal(Scaled(12, 13, 14, 0, 1, 2, 15, 16, 17, 3, 4, 5), batch.Inputs.ToArray()); // [T 2, B 2, I 3]
    }

    [Fact]
    public void The_pixel_view_shows_pixel_after_pixel()
    {
        Batch batch = Read(ImageView.Pixel, 2, 0);

        Assert.Equal(new SequenceLayout(6, 1, TargetKind.Label, 10), batch.Layout);
        Assert.Equal(Scaled(12, 0, 13, 1, 14, 2, 15, 3, 16, 4, 17, 5), batch.Inputs.ToArray()); // [T 6, B 2, I 1]
    }

    [Fact]
    public void The_permuted_view_shows_every_pixel_once_in_the_fixed_order()
    {
        Batch batch = Read(ImageView.Permuted, 1);
        int[] order = ImageData.Permutation(6);

        Assert.Equal(new SequenceLayout(6, 1, TargetKind.Label, 10), batch.Layout);
        Assert.Equal(Scaled([.. order.Select(p => 6 + p)]), batch.Inputs.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(784)]
    public void The_permutation_is_a_bijection(int pixels) => Assert.Equal(Enumerable.Range(0, pixels), ImageData.Permutation(pixels).Order());

    [Fact]
    public void The_permutation_of_MNIST_never_changes()
    {
        // A model trained on the permuted view is worth nothing under another order. python3, with philox(seed, stream, block) -> four words of
        // Philox4x32-10:
        //   o = list(range(784))
        //   for n, i in enumerate(range(783, 0, -1)): j = philox(92916, 2 << 48, n // 4)[n % 4] * (i + 1) >> 32; o[i], o[j] = o[j], o[i]
        //   print(o[:8], o[-3:])
        int[] order = ImageData.Permutation(784);
        Assert.Equal([745, 234, 417, 53, 617, 692, 556, 762], order[..8]);
        Assert.Equal([765, 770, 371], order[^3..]);
    }

    [Fact]
    public void Intensities_reach_from_zero_to_one()
    {
        string images = folder.Put("i", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 51, 255]);
        string labels = folder.Put("l", [0, 0, 8, 1, 0, 0, 0, 1, 4]);
        ImageData data = IdxData.Load(images, labels, ImageView.Row);
        Batch batch = new(data.Layout, 1);
        data.Read([0], batch);

        Assert.Equal([0f, 0.2f, 1f], batch.Inputs.ToArray());
    }

    [Fact]
    public void Files_that_do_not_fit_are_refused()
    {
        string images = folder.Put("images", Idx([3, 2, 3], [.. Enumerable.Range(0, 18).Select(i => (byte)i)]));
        string labels = folder.Put("labels", Idx([3], [0, 5, 9]));
        string fewer = folder.Put("fewer", Idx([2], [0, 5]));
        string none = folder.Put("none", Idx([0, 2, 3], []));
        string noLabels = folder.Put("noLabels", Idx([0], []));
        string ten = folder.Put("ten", Idx([3], [0, 10, 11]));

        Refuses(images, fewer, "3 images");
        Refuses(images, ten, "label 10 of image 1", classes: 10);
        Refuses(none, noLabels, "no images");
        Refuses(labels, images, "Is it the file of labels?");
        Refuses(images, images, "Is it the file of images?");
        Refuses(folder.File("absent"), labels, "absent");
        Assert.Equal(12, IdxData.Load(images, ten, ImageView.Row).Layout.Outputs);
        Assert.Equal(10, IdxData.Load(images, labels, ImageView.Row).Layout.Outputs);
        Assert.Equal(15, IdxData.Load(images, ten, ImageView.Row, classes: 15).Layout.Outputs);
        Assert.Throws<ArgumentOutOfRangeException>(() => Read(ImageView.Row, 3));
    }

    private static void Refuses(string images, string labels, string part, int? classes = null) =>
        Assert.Contains(part, Assert.Throws<InvalidCallException>(() => IdxData.Load(images, labels, ImageView.Row, classes)).Message, StringComparison.Ordinal);

    private static float[] Scaled(params int[] bytes) => [.. bytes.Select(b => b / 255f)];

    private static byte[] Idx(int[] extents, byte[] values)
    {
        byte[] header = new byte[4 + (4 * extents.Length)];
        header[2] = 8;
        header[3] = (byte)extents.Length;
        for (int i = 0; i < extents.Length; i++) BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * i)), extents[i]);
        return [.. header, .. values];
    }

    /// <summary>Of three images 2 x 3 which count 0 to 17 and have the labels 0, 5, 9.</summary>
    private Batch Read(ImageView view, params int[] indices)
    {
        string images = folder.Put("images", Idx([3, 2, 3], [.. Enumerable.Range(0, 18).Select(i => (byte)i)]));
        string labels = folder.Put("labels", IdxFileTests.Pack(Idx([3], [0, 5, 9])));
        ImageData data = IdxData.Load(images, labels, view);
        Batch batch = new(data.Layout, indices.Length);
        data.Read(indices, batch);
        return batch;
    }
}
