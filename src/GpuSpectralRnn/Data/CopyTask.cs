namespace GpuSpectralRnn.Data;

/// <summary>
/// The copying memory problem of Arjovsky, Shah, Bengio, "Unitary evolution recurrent neural networks" (2016), section 4.1: ten symbols out of eight,
/// T - 1 blanks, a delimiter, ten
/// blanks; asked for are T + 10 blanks, then the ten symbols. Inputs are one-hot.
/// </summary>
public sealed class CopyTask : ISequenceData
{
    /// <summary>Symbols to remember.</summary>
    public const int StringLength = 10;

    /// <summary>Different symbols, numbered from 0.</summary>
    public const int Symbols = 8;

    /// <summary>The number of the blank, among inputs and labels.</summary>
    public const int Blank = Symbols;

    /// <summary>The number of the delimiter, among inputs.</summary>
    public const int Delimiter = Symbols + 1;

    private readonly int delay;
    private readonly ulong seed;
    private readonly DataPart part;

    private CopyTask(int delay, int count, ulong seed, DataPart part)
    {
        this.delay = delay;
        this.seed = seed;
        this.part = part;
        Count = count;
        Layout = new SequenceLayout(delay + (2 * StringLength), Symbols + 2, TargetKind.LabelPerStep, Symbols + 1);
        Name = $"copy ({part.ToString().ToLowerInvariant()})";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Cross-entropy per step of a network without memory: 10 ln 8 / (T + 20).</summary>
    public double BaselineCrossEntropy => StringLength * Math.Log(Symbols) / Layout.Steps;

    /// <summary>
    /// Sequences of <paramref name="delay"/> + 20 steps [T + 20, 10] -> labels [T + 20] below 9; sequence i depends on the seed, the part and i
    /// alone.
    /// </summary>
    /// <exception cref="InvalidCallException">The delay or the count is below 1.</exception>
    public static CopyTask Create(int delay, int count, ulong seed, DataPart part = DataPart.Train)
    {
        if (delay < 1) throw new InvalidCallException($"The copy task cannot have a delay of {delay} steps; name 1 or more.");
        SequenceIndices.CheckCount(count);
        return new CopyTask(delay, count, seed, part);
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        Span<float> inputs = batch.Inputs; // [T, B, 10]
        Span<int> labels = batch.Labels; // [T, B]
        inputs.Clear();
        labels.Fill(Blank);
        int size = indices.Length;
        for (int b = 0; b < size; b++)
        {
            RandomStream random = new(seed, RandomPurpose.Copy, indices[b], part);
            for (int t = 0; t < Layout.Steps; t++)
            {
                int symbol = t == delay + StringLength - 1 ? Delimiter : Blank;
                if (t < StringLength)
                {
                    symbol = random.Below(Symbols);
                    labels[((t + delay + StringLength) * size) + b] = symbol;
                }

                inputs[(((t * size) + b) * Layout.Features) + symbol] = 1f;
            }
        }
    }
}
