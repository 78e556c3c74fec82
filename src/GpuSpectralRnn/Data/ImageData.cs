using System.Numerics;

namespace GpuSpectralRnn.Data;

/// <summary>Images, grey or of several channels, with one label each, kept once as bytes and expanded batch by batch to numbers of [0, 1].</summary>
public sealed class ImageData : ISequenceData
{
    /// <summary>
    /// Seed of the order in which <see cref="ImageView.Permuted"/> shows the pixels: fixed, so that a model meets the same order wherever it is used.
    /// </summary>
    public const ulong PermutationSeed = 92916;

    private readonly byte[] pixels; // [N, rows, columns, channels]
    private readonly byte[] labels; // [N]
    private readonly int[] order; // which pixel each step of the permuted view shows; of the others nothing
    private readonly float[] image; // [rows, columns, channels], the one being read

    /// <summary>Wraps images without a copy; whoever makes them has checked sizes and labels.</summary>
    internal ImageData(string name, byte[] pixels, byte[] labels, int rows, int columns, int classes, ImageView view, int channels = 1)
    {
        Name = name;
        this.pixels = pixels;
        this.labels = labels;
        View = view;
        Layout = view == ImageView.Row
            ? new SequenceLayout(rows, columns * channels, TargetKind.Label, classes)
            : new SequenceLayout(rows * columns, channels, TargetKind.Label, classes);
        order = view == ImageView.Permuted ? Permutation(rows * columns) : [];
        image = new float[rows * columns * channels];
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count => labels.Length;

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>How the images are read.</summary>
    public ImageView View { get; }

    /// <summary>Step t of the permuted view shows pixel number Permutation(n)[t].</summary>
    public static int[] Permutation(int pixels)
    {
        int[] order = new int[pixels];
        new RandomStream(PermutationSeed, RandomPurpose.Permutation, 0).Permute(order);
        return order;
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        int size = indices.Length;
        int features = Layout.Features;
        Span<float> inputs = batch.Inputs; // [T, B, I]
        for (int b = 0; b < size; b++)
        {
            batch.Labels[b] = labels[indices[b]];
            Expand(pixels.AsSpan(indices[b] * image.Length, image.Length), image);
            for (int t = 0; t < Layout.Steps; t++)
            {
                int shown = View == ImageView.Permuted ? order[t] : t;
                image.AsSpan(shown * features, features).CopyTo(inputs[(((t * size) + b) * features)..]);
            }
        }
    }

    /// <summary>Divides bytes by 255.</summary>
    private static void Expand(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        int n = Vector<float>.Count;
        int i = 0;
        for (; i <= bytes.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(bytes[i..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> first, out Vector<uint> second);
            Vector.Widen(high, out Vector<uint> third, out Vector<uint> fourth);
            (Vector.ConvertToSingle(first.As<uint, int>()) / new Vector<float>(255f)).CopyTo(values[i..]);
            (Vector.ConvertToSingle(second.As<uint, int>()) / new Vector<float>(255f)).CopyTo(values[(i + n)..]);
            (Vector.ConvertToSingle(third.As<uint, int>()) / new Vector<float>(255f)).CopyTo(values[(i + (2 * n))..]);
            (Vector.ConvertToSingle(fourth.As<uint, int>()) / new Vector<float>(255f)).CopyTo(values[(i + (3 * n))..]);
        }

        for (; i < bytes.Length; i++) values[i] = bytes[i] / 255f;
    }
}
