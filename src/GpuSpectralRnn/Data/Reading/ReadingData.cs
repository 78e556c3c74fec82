using System.Text;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Questions about texts as sequences of words and, where the vocabulary has characters, of their characters; the targets are the first and the last
/// word of the answer. Fields: <c>context</c> and <c>question</c>, each followed by its characters (<c>context.letters</c>, <c>question.letters</c>).
/// </summary>
public sealed class ReadingData : ISequenceData, IReadingTexts
{
    /// <summary>The name of the field of texts.</summary>
    public const string ContextField = "context";

    /// <summary>The name of the field of questions.</summary>
    public const string QuestionField = "question";

    /// <summary>What follows a field's name in that of its characters.</summary>
    public const string Letters = ".letters";

    /// <summary>The most characters of a word that are read, as in the paper's program; what follows counts for nothing.</summary>
    public const int MostCharacters = 16;

    private readonly IReadOnlyList<ReadingQuestion> questions;
    private readonly ReadingVocabulary vocabulary;
    private readonly Dictionary<WordText, EncodedText> encoded = new(ReferenceEqualityComparer.Instance);

    /// <summary>Numbers the words; texts longer than <paramref name="mostWords"/> are read up to there.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="questions">One or more.</param>
    /// <param name="vocabulary">What words and characters are numbered by.</param>
    /// <param name="mostWords">T at most; what is asked for beyond counts as not there.</param>
    /// <exception cref="InvalidCallException">There is no question, or one has no words, or a text has none.</exception>
    public ReadingData(string name, IReadOnlyList<ReadingQuestion> questions, ReadingVocabulary vocabulary, int mostWords = int.MaxValue)
    {
        if (questions.Count == 0) throw new InvalidCallException($"{name} holds no question; there is nothing to read.");
        if (mostWords < 1) throw new InvalidCallException($"`mostWords` {mostWords}: choose 1 or more.");
        if (questions.FirstOrDefault(question => question.Question.Words.Count == 0) is { } empty)
            throw new InvalidCallException($"The question {empty.Id} of {name} has no words; ask something.");
        if (questions.FirstOrDefault(question => question.Context.Words.Count == 0) is { } bare)
            throw new InvalidCallException($"The text of the question {bare.Id} of {name} has no words; give one to read.");
        (Name, this.questions, this.vocabulary) = (name, questions, vocabulary);
        int steps = Math.Min(mostWords, questions.Max(question => question.Context.Words.Count));
        int asked = Math.Min(mostWords, questions.Max(question => question.Question.Words.Count)), letters = 0;
        foreach (ReadingQuestion question in questions)
        {
            foreach ((WordText text, int most) in ((WordText, int)[])[(question.Context, steps), (question.Question, asked)])
            {
                if (!encoded.TryGetValue(text, out EncodedText? known)) encoded.Add(text, known = new EncodedText(text, vocabulary, most));
                letters = Math.Max(letters, known.LongestWord);
            }
        }

        bool spells = vocabulary.Characters.Count > 0;
        List<FieldLayout> fields = [];
        foreach ((string field, int count) in ((string, int)[])[(ContextField, steps), (QuestionField, asked)])
        {
            fields.Add(new FieldLayout(field, count, 1, vocabulary.Words.Count));
            if (spells) fields.Add(new FieldLayout(field + Letters, count, 1, vocabulary.Characters.Count) { Characters = letters });
        }

        Layout = new SequenceLayout(fields, [new(TargetKind.Label, steps), new(TargetKind.Label, steps)]);
        Beyond = questions.Count(question => question.Span is { } span && span.Last >= steps);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count => questions.Count;

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <inheritdoc/>
    public IReadingTexts Texts => this;

    /// <summary>Questions whose answer stands beyond the words that are read.</summary>
    public int Beyond { get; }

    /// <inheritdoc/>
    public ReadingQuestion Question(int sequence) => questions[sequence];

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        SequenceIndices.Check(this, indices);
        batch.Resize(indices.Length);
        foreach (BatchField field in batch.Fields) field.Tokens.Clear();
        int stride = batch.Fields.Count / 2;
        for (int b = 0; b < indices.Length; b++)
        {
            ReadingQuestion question = questions[indices[b]];
            for (int part = 0; part < 2; part++)
            {
                EncodedText text = encoded[part == 0 ? question.Context : question.Question];
                BatchField field = batch.Fields[part * stride];
                int count = text.Words.Length;
                field.Lengths[b] = count;
                for (int t = 0; t < count; t++) field.Tokens[(t * indices.Length) + b] = text.Words[t];
                if (stride == 2) Spell(text, count, batch.Fields[part * stride + 1], indices.Length, b);
            }

            bool isThere = question.Span is { } span && span.Last < Layout.Fields[0].Steps;
            batch.Targets[0].Labels[b] = isThere ? question.Span!.Value.First : -1;
            batch.Targets[1].Labels[b] = isThere ? question.Span!.Value.Last : -1;
        }
    }

    // Characters [W, T, B], and of each word how many, [T, B].
    private static void Spell(EncodedText text, int count, BatchField field, int size, int b)
    {
        int words = field.Layout.Steps * size;
        for (int t = 0; t < field.Layout.Steps; t++)
        {
            int cell = (t * size) + b;
            int[] letters = t < count ? text.Letters[t] : [];
            field.Lengths[cell] = letters.Length;
            for (int w = 0; w < letters.Length; w++) field.Tokens[(w * words) + cell] = letters[w];
        }
    }

    // The numbers of a text's words and of their characters.
    private sealed class EncodedText
    {
        public EncodedText(WordText text, ReadingVocabulary vocabulary, int most)
        {
            int count = Math.Min(most, text.Words.Count);
            Words = new int[count];
            Letters = new int[count][];
            for (int i = 0; i < count; i++)
            {
                string word = text.Word(i);
                Words[i] = vocabulary.NumberOf(word);
                Letters[i] = vocabulary.Characters.Count == 0 ? [] : [.. word.EnumerateRunes().Take(MostCharacters).Select(vocabulary.NumberOf)];
                LongestWord = Math.Max(LongestWord, Letters[i].Length);
            }
        }

        public int[] Words { get; }

        public int[][] Letters { get; }

        public int LongestWord { get; } = 1;
    }
}
