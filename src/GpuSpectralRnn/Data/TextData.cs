namespace GpuSpectralRnn.Data;

/// <summary>
/// A text for language models: one stream of tokens, cut into windows of T steps; the target of a token is the next one. Every token but the first is
/// a target exactly once. The last window may be shorter.
/// </summary>
public sealed class TextData : ISequenceData
{
    private readonly ITokens tokens;
    private readonly long start, count; // the part of them that is this text
    private readonly int[] window; // [T + 1]

    /// <summary>Windows over <paramref name="tokens"/>.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="vocabulary">The vocabulary of the tokens.</param>
    /// <param name="tokens">The whole text.</param>
    /// <param name="steps">T, tokens of a window; a shorter text makes one shorter window.</param>
    /// <exception cref="InvalidCallException">There are fewer than two tokens, or T is below 1.</exception>
    public TextData(string name, Vocabulary vocabulary, ReadOnlyMemory<int> tokens, int steps)
        : this(name, vocabulary, new KeptTokens(tokens), 0, tokens.Length, steps)
    {
    }

    private TextData(string name, Vocabulary vocabulary, ITokens tokens, long start, long count, int steps)
    {
        if (steps < 1) throw new InvalidCallException($"Windows of {steps} steps cannot be; choose 1 or more.");
        if (count == 0) throw new InvalidCallException($"The text {name} is empty; name one with words in it.");
        if (count == 1)
            throw new InvalidCallException($"The text {name} is a single token, after which nothing can be asked for; name a longer one.");
        (Name, Vocabulary, this.tokens, this.start, this.count) = (name, vocabulary, tokens, start, count);
        Asked = count - 1;
        Layout = new SequenceLayout((int)Math.Min(steps, Asked), 1, TargetKind.LabelPerStep, vocabulary.Count, vocabulary.Count) { IsStream = true };
        long windows = (Asked + Layout.Steps - 1) / Layout.Steps;
        if (windows > int.MaxValue)
            throw new InvalidCallException($"The text {name} makes {windows:N0} windows of {Layout.Steps} tokens, more than can be numbered; choose longer ones.");
        Count = (int)windows;
        window = new int[Layout.Steps + 1];
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>The vocabulary of the tokens.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Number of windows.</summary>
    public int Count { get; }

    /// <summary>Number of targets in all windows.</summary>
    public long Asked { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Opens a text. Of a long one the tokens are not kept: windows are read again from the file, which must stay as it is.</summary>
    /// <param name="path">UTF-8.</param>
    /// <param name="vocabulary">Also says what a token is.</param>
    /// <param name="steps">T, tokens of a window.</param>
    /// <param name="mostKept">Most tokens that are kept in memory.</param>
    /// <exception cref="InvalidCallException">The file is missing or empty.</exception>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    public static TextData Load(string path, Vocabulary vocabulary, int steps, int mostKept = TextTokens.MostKept)
    {
        ITokens tokens = TextTokens.Load(path, vocabulary, mostKept);
        return new(Path.GetFileName(path), vocabulary, tokens, 0, tokens.Count, steps);
    }

    /// <summary>Splits off the last <paramref name="windows"/> windows.</summary>
    /// <exception cref="InvalidCallException">One of the two parts would be empty.</exception>
    public (TextData Kept, TextData Held) HoldOut(int windows)
    {
        if (windows < 1 || windows >= Count)
            throw new InvalidCallException($"{windows} of the {Count} windows of {Name} cannot be held out; name 1 to {Count - 1}.");
        long border = (long)(Count - windows) * Layout.Steps;

        // The token at the border is the last that the kept part is asked for, and the first that the held part reads.
        return (With(0, border + 1), With(border, count - border));
    }

    /// <summary>Splits off the last tokens: the share <paramref name="share"/> of them, rounded to whole ones.</summary>
    /// <exception cref="InvalidCallException">The share is not between 0 and 1, or one of the two parts would be too short.</exception>
    public (TextData Kept, TextData Held) HoldOut(double share)
    {
        if (!(share > 0 && share < 1)) throw new InvalidCallException($"The share {share} of {Name} cannot be held out; name one between 0 and 1.");
        long held = (long)Math.Round(count * share);
        if (held < 2 || count - held < 2)
            throw new InvalidCallException(
                $"{Name} has {count} tokens; {share:0.####} of them cannot be held out, both parts need two or more.");
        return (With(0, count - held), With(count - held, held));
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        int size = indices.Length;
        Span<int> inputs = batch.Tokens; // [T, B]
        Span<int> labels = batch.Labels; // [T, B]
        inputs.Clear();
        labels.Fill(-1);
        for (int b = 0; b < size; b++)
        {
            long first = (long)indices[b] * Layout.Steps;
            int length = indices[b] == SequenceIndices.None ? 0 : (int)Math.Min(Layout.Steps, Asked - first);
            batch.Lengths[b] = length;
            if (length == 0) continue;
            tokens.Read(start + first, window.AsSpan(0, length + 1));
            for (int t = 0; t < length; t++)
            {
                inputs[(t * size) + b] = window[t];
                labels[(t * size) + b] = window[t + 1];
            }
        }
    }

    private TextData With(long first, long length) => new(Name, Vocabulary, tokens, start + first, length, Layout.Steps);
}
