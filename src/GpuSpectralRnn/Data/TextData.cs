namespace GpuSpectralRnn.Data;

/// <summary>
/// A text for language models: one stream of tokens, cut into windows of T steps; the target of a token is the next one. Every token but the first is
/// a target exactly once. The last window may be shorter.
/// </summary>
public sealed class TextData : ISequenceData
{
    private readonly ReadOnlyMemory<int> tokens;

    /// <summary>Windows over <paramref name="tokens"/>.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="vocabulary">The vocabulary of the tokens.</param>
    /// <param name="tokens">The whole text.</param>
    /// <param name="steps">T, tokens of a window; a shorter text makes one shorter window.</param>
    /// <exception cref="InvalidCallException">There are fewer than two tokens, or T is below 1.</exception>
    public TextData(string name, Vocabulary vocabulary, ReadOnlyMemory<int> tokens, int steps)
    {
        if (steps < 1) throw new InvalidCallException($"Windows of {steps} steps cannot be; choose 1 or more.");
        if (tokens.IsEmpty) throw new InvalidCallException($"The text {name} is empty; name one with words in it.");
        if (tokens.Length == 1)
            throw new InvalidCallException($"The text {name} is a single token, after which nothing can be asked for; name a longer one.");
        Name = name;
        Vocabulary = vocabulary;
        this.tokens = tokens;
        Asked = tokens.Length - 1;
        Layout = new SequenceLayout(Math.Min(steps, Asked), 1, TargetKind.LabelPerStep, vocabulary.Count, vocabulary.Count) { IsStream = true };
        Count = (Asked + Layout.Steps - 1) / Layout.Steps;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>The vocabulary of the tokens.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Number of windows.</summary>
    public int Count { get; }

    /// <summary>Number of targets in all windows.</summary>
    public int Asked { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>Loads a text.</summary>
    /// <param name="path">UTF-8.</param>
    /// <param name="vocabulary">Also says what a token is.</param>
    /// <param name="steps">T, tokens of a window.</param>
    /// <exception cref="InvalidCallException">The file is missing or empty.</exception>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    public static TextData Load(string path, Vocabulary vocabulary, int steps) =>
        new(Path.GetFileName(path), vocabulary, vocabulary.EncodeFile(path), steps);

    /// <summary>Splits off the last <paramref name="windows"/> windows.</summary>
    /// <exception cref="InvalidCallException">One of the two parts would be empty.</exception>
    public (TextData Kept, TextData Held) HoldOut(int windows)
    {
        if (windows < 1 || windows >= Count)
            throw new InvalidCallException($"{windows} of the {Count} windows of {Name} cannot be held out; name 1 to {Count - 1}.");
        int border = (Count - windows) * Layout.Steps;

        // The token at the border is the last that the kept part is asked for, and the first that the held part reads.
        return (With(tokens[..(border + 1)]), With(tokens[border..]));
    }

    /// <summary>Splits off the last tokens: the share <paramref name="share"/> of them, rounded to whole ones.</summary>
    /// <exception cref="InvalidCallException">The share is not between 0 and 1, or one of the two parts would be too short.</exception>
    public (TextData Kept, TextData Held) HoldOut(double share)
    {
        if (!(share > 0 && share < 1)) throw new InvalidCallException($"The share {share} of {Name} cannot be held out; name one between 0 and 1.");
        int held = (int)Math.Round(tokens.Length * share);
        if (held < 2 || tokens.Length - held < 2)
            throw new InvalidCallException(
                $"{Name} has {tokens.Length} tokens; {share:0.####} of them cannot be held out, both parts need two or more.");
        return (With(tokens[..^held]), With(tokens[^held..]));
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        int size = indices.Length;
        Span<int> inputs = batch.Tokens; // [T, B]
        Span<int> labels = batch.Labels; // [T, B]
        ReadOnlySpan<int> text = tokens.Span;
        inputs.Clear();
        labels.Fill(-1);
        for (int b = 0; b < size; b++)
        {
            int first = indices[b] * Layout.Steps;
            int length = indices[b] == SequenceIndices.None ? 0 : Math.Min(Layout.Steps, Asked - first);
            batch.Lengths[b] = length;
            for (int t = 0; t < length; t++)
            {
                inputs[(t * size) + b] = text[first + t];
                labels[(t * size) + b] = text[first + t + 1];
            }
        }
    }

    private TextData With(ReadOnlyMemory<int> part) => new(Name, Vocabulary, part, Layout.Steps);
}
