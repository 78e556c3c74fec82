namespace GpuSpectralRnn.Data;

/// <summary>
/// Sequences of real numbers without targets, and as many mixtures of two: a x_i + (1 - a) x_j with a uniform in [1/2, 1) and j uniform (mixup:
/// Zhang, Cisse, Dauphin, Lopez-Paz, 2018), each always the same. A mixture is as long as the longer of its two.
/// </summary>
public sealed class MixedInputs : ISequenceData
{
    private readonly ISequenceData source;
    private readonly ulong seed;
    private Batch? own, partners;
    private int[] first = [], second = [];
    private float[] shares = [];

    /// <summary>Sequence i of the source, or a mixture for i from the number of its sequences on.</summary>
    /// <param name="source">The sequences.</param>
    /// <param name="seed">Seed of the partners and shares.</param>
    /// <exception cref="ArgumentException">They cannot be mixed (<see cref="CanMix"/>).</exception>
    public MixedInputs(ISequenceData source, ulong seed)
    {
        if (!CanMix(source)) throw new ArgumentException($"{source.Name} holds tokens or one stream; neither can be mixed.", nameof(source));
        (this.source, this.seed) = (source, seed);
        Layout = source.Layout with { Targets = [] };
    }

    /// <inheritdoc/>
    public string Name => source.Name;

    /// <inheritdoc/>
    public int Count => 2 * source.Count;

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Whether sequences can be mixed: all fields hold real numbers, and no sequence continues another.</summary>
    public static bool CanMix(ISequenceData source) =>
        !source.Layout.IsStream && source.Layout.Fields.All(field => field.Vocabulary == 0) && source.Count <= int.MaxValue / 2;

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        int size = indices.Length;
        if (own is null || own.Capacity < size) (own, partners) = (new Batch(source.Layout, size), new Batch(source.Layout, size));
        Draw(indices);
        source.Read(first.AsSpan(0, size), own);
        source.Read(second.AsSpan(0, size), partners!);
        batch.Resize(size);
        for (int f = 0; f < batch.Fields.Count; f++) Mix(own.Fields[f], partners!.Fields[f], batch.Fields[f], size);
    }

    /// <inheritdoc/>
    public void Expect(ReadOnlySpan<int> indices)
    {
        Draw(indices);
        source.Expect(first.AsSpan(0, indices.Length));
        source.Expect(second.AsSpan(0, indices.Length));
    }

    // Which two sequences each is mixed of, and how much of the first is in it.
    private void Draw(ReadOnlySpan<int> indices)
    {
        if (first.Length < indices.Length) (first, second, shares) = (new int[indices.Length], new int[indices.Length], new float[indices.Length]);
        for (int i = 0; i < indices.Length; i++)
        {
            first[i] = second[i] = indices[i] % source.Count;
            shares[i] = 1;
            if (indices[i] < source.Count) continue;
            RandomStream random = new(seed, RandomPurpose.Mixture, first[i]);
            second[i] = random.Below(source.Count);
            shares[i] = random.Uniform(0.5f, 1);
        }
    }

    private void Mix(BatchField a, BatchField b, BatchField mixed, int size)
    {
        ReadOnlySpan<float> x = a.Inputs, y = b.Inputs;
        Span<float> z = mixed.Inputs;
        int features = mixed.Layout.Features;
        for (int at = 0, row = 0; at < z.Length; at += features, row++) // [T, B, I]
        {
            float share = shares[row % size];
            for (int i = at; i < at + features; i++) z[i] = share == 1 ? x[i] : (share * x[i]) + ((1 - share) * y[i]);
        }

        for (int i = 0; i < size; i++) mixed.Lengths[i] = Math.Max(a.Lengths[i], b.Lengths[i]);
    }
}
