namespace GpuSpectralRnn.Data;

/// <summary>A range of another data set; nothing is copied.</summary>
public sealed class Subset : ISequenceData
{
    private readonly ISequenceData source;
    private readonly int start;
    private int[] shifted = [];

    /// <summary>
    /// The sequences <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> - 1 of <paramref name="source"/>.
    /// </summary>
    /// <exception cref="InvalidCallException">The range is empty or leaves the source.</exception>
    public Subset(ISequenceData source, int start, int count)
    {
        if (start < 0 || count < 1 || count > source.Count - start)
            throw new InvalidCallException($"{source.Name} has {source.Count} sequences; {count} from number {start} cannot be taken.");
        this.source = source;
        this.start = start;
        Count = count;
    }

    /// <inheritdoc/>
    public string Name => source.Name;

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout => source.Layout;

    /// <inheritdoc/>
    public IReadingTexts? Texts => source.Texts is { } texts ? new ShiftedTexts(texts, start) : null;

    /// <summary>The first <paramref name="limit"/> sequences, or all if there are no more.</summary>
    /// <exception cref="InvalidCallException">The limit is below 1.</exception>
    public static ISequenceData Limit(ISequenceData source, int limit)
    {
        if (limit < 1) throw new InvalidCallException($"A limit of {limit} leaves no sequence of {source.Name}; the limit is 1 or more.");
        return limit >= source.Count ? source : new Subset(source, 0, limit);
    }

    /// <summary>Splits off the last <paramref name="held"/> sequences.</summary>
    /// <exception cref="InvalidCallException">One of the two parts would be empty.</exception>
    public static (ISequenceData Kept, ISequenceData Held) HoldOut(ISequenceData source, int held)
    {
        if (held < 1 || held >= source.Count)
            throw new InvalidCallException(
                $"{held} of the {source.Count} sequences of {source.Name} cannot be held out; name 1 to {source.Count - 1}.");
        int rest = source.Count - held;
        return (new Subset(source, 0, rest), new Subset(source, rest, held));
    }

    /// <inheritdoc/>
    public string? NameOf(int index) => source.NameOf(start + index);

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        source.Read(Shifted(indices), batch);
    }

    /// <inheritdoc/>
    public void Expect(ReadOnlySpan<int> indices) => source.Expect(Shifted(indices));

    private ReadOnlySpan<int> Shifted(ReadOnlySpan<int> indices)
    {
        if (shifted.Length < indices.Length) shifted = new int[indices.Length];
        for (int i = 0; i < indices.Length; i++) shifted[i] = indices[i] == SequenceIndices.None ? SequenceIndices.None : start + indices[i];
        return shifted.AsSpan(0, indices.Length);
    }

    private sealed class ShiftedTexts(IReadingTexts texts, int start) : IReadingTexts
    {
        public ReadingQuestion Question(int sequence) => texts.Question(start + sequence);
    }
}
