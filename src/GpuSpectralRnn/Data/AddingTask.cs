namespace GpuSpectralRnn.Data;

/// <summary>
/// The adding problem of Hochreiter, Schmidhuber, "Long short-term memory" (1997), section 5.4, in the form of Le, Jaitly, Hinton, "A simple way to
/// initialize recurrent networks of
/// rectified linear units" (2015), section 4.1: every step shows a number of [0, 1) and a marker; two markers are 1, one in each half; asked for is
/// the sum of the two marked numbers.
/// </summary>
public sealed class AddingTask : ISequenceData
{
    /// <summary>
    /// Mean squared error of always answering 1, the variance of the sum of two uniform numbers: 2/12. (Le et al. print 0.1767 for it.)
    /// </summary>
    public const double BaselineMeanSquaredError = 1.0 / 6;

    private readonly ulong seed;
    private readonly DataPart part;

    private AddingTask(int length, int count, ulong seed, DataPart part)
    {
        this.seed = seed;
        this.part = part;
        Count = count;
        Layout = new SequenceLayout(length, 2, TargetKind.Value, 1);
        Name = $"adding ({part.ToString().ToLowerInvariant()})";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Sequences of <paramref name="length"/> steps [T, 2] -> 1 value; sequence i depends on the seed, the part and i alone.</summary>
    /// <exception cref="InvalidCallException">Fewer than 2 steps or 1 sequence.</exception>
    public static AddingTask Create(int length, int count, ulong seed, DataPart part = DataPart.Train)
    {
        if (length < 2)
            throw new InvalidCallException($"The adding task marks one step in each half; a length of {length} is too short, name 2 or more.");
        SequenceIndices.CheckCount(count);
        return new AddingTask(length, count, seed, part);
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        Span<float> inputs = batch.Inputs; // [T, B, 2]
        Span<float> values = batch.Values; // [B, 1]
        int steps = Layout.Steps;
        int half = steps / 2;
        for (int b = 0; b < indices.Length; b++)
        {
            RandomStream random = new(seed, RandomPurpose.Adding, indices[b], part);
            int first = random.Below(half);
            int second = half + random.Below(steps - half);
            float sum = 0f;
            for (int t = 0; t < steps; t++)
            {
                float value = random.Uniform();
                bool marked = t == first || t == second;
                int at = ((t * indices.Length) + b) * 2;
                inputs[at] = value;
                inputs[at + 1] = marked ? 1f : 0f;
                if (marked) sum += value;
            }

            values[b] = sum;
        }
    }
}
