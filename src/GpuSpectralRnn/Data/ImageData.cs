namespace GpuSpectralRnn.Data;

/// <summary>Grey images with one label each, kept once as bytes and expanded batch by batch to numbers of [0, 1].</summary>
public sealed class ImageData : ISequenceData
{
    /// <summary>Seed of the order in which <see cref="ImageView.Permuted"/> shows the pixels: fixed, so that a model meets the same order wherever it is used.</summary>
    public const ulong PermutationSeed = 92916;

    private static readonly float[] Intensities = [.. Enumerable.Range(0, 256).Select(i => i / 255f)];

    private readonly byte[] pixels; // [N, rows, columns]
    private readonly byte[] labels; // [N]
    private readonly int[]? order;

    /// <summary>Wraps images without a copy; whoever makes them has checked sizes and labels.</summary>
    internal ImageData(string name, byte[] pixels, byte[] labels, int rows, int columns, int classes, ImageView view)
    {
        Name = name;
        this.pixels = pixels;
        this.labels = labels;
        View = view;
        Layout = view == ImageView.Row
            ? new SequenceLayout(rows, columns, TargetKind.Label, classes)
            : new SequenceLayout(rows * columns, 1, TargetKind.Label, classes);
        if (view == ImageView.Permuted) order = Permutation(rows * columns);
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
        int length = Layout.Steps * features;
        Span<float> inputs = batch.Inputs; // [T, B, I]
        float[] intensities = Intensities;
        for (int b = 0; b < size; b++)
        {
            ReadOnlySpan<byte> image = pixels.AsSpan(indices[b] * length, length);
            batch.Labels[b] = labels[indices[b]];
            for (int t = 0; t < Layout.Steps; t++)
            {
                if (order is not null)
                {
                    inputs[(t * size) + b] = intensities[image[order[t]]];
                    continue;
                }

                ReadOnlySpan<byte> step = image.Slice(t * features, features);
                Span<float> row = inputs.Slice(((t * size) + b) * features, features);
                for (int i = 0; i < row.Length; i++) row[i] = intensities[step[i]];
            }
        }
    }
}
