using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>
/// Questions about texts, part by part, all numbered by one vocabulary: the model's where there is one, else that of the questions to train on,
/// without those that are held out.
/// </summary>
internal sealed class ReadingSource
{
    /// <summary>T where the call does not say, as in the paper's program.</summary>
    public const int MostWords = 400;

    /// <summary>Words that occur once stay unknown where the set is not small: the vector for unknown words has to be learned too.</summary>
    private const int ManyQuestions = 5000;

    private readonly Func<DataPart, IReadOnlyList<ReadingQuestion>?> load;
    private readonly Dictionary<DataPart, IReadOnlyList<ReadingQuestion>?> questions = [];
    private readonly Dictionary<DataPart, ReadingData?> parts = [];
    private readonly Lazy<ReadingVocabulary> vocabulary;
    private readonly int mostWords;
    private readonly Func<DataPart, string> name;

    /// <summary>Questions are read when a part is asked for.</summary>
    /// <param name="call">The call.</param>
    /// <param name="name">The name of a part, for messages.</param>
    /// <param name="load">The questions of a part; null where there are none.</param>
    /// <exception cref="InvalidCallException">The model is no reader.</exception>
    public ReadingSource(DataCall call, Func<DataPart, string> name, Func<DataPart, IReadOnlyList<ReadingQuestion>?> load)
    {
        (this.load, this.name) = (load, name);
        if (call.Recipe is not (null or BidafRecipe))
            throw new InvalidCallException($"--data {call.Options.Data} is for readers of questions about texts, and this model is another network.");
        BidafRecipe? reader = call.Recipe as BidafRecipe;
        if (reader is not null && call.Options.VocabularySize is not null)
            throw new InvalidCallException("The model has its vocabulary; leave --vocabulary-size out.");
        mostWords = call.Options.ContextLength ?? (reader is { ContextLength: > 0 } ? reader.ContextLength : MostWords);
        vocabulary = new(() =>
        {
            if (reader is not null) return reader.Vocabulary;
            IReadOnlyList<ReadingQuestion> all = QuestionsOf(DataPart.Train)
                ?? throw new InvalidCallException($"--data {call.Options.Data} has no questions to train on, whose words a new model would know.");
            if (call.Held is not null) all = [.. all.Take(call.Held.Kept(all.Count, call.Options.Data))];
            return ReadingVocabulary.Of(all, call.Options.VocabularySize, all.Count >= ManyQuestions ? 2 : 1);
        });
    }

    /// <summary>What words and characters are numbered by.</summary>
    public ReadingVocabulary Vocabulary => vocabulary.Value;

    /// <summary>A part, or null.</summary>
    public ReadingData? Load(DataPart part)
    {
        if (parts.TryGetValue(part, out ReadingData? known)) return known;
        ReadingData? data = QuestionsOf(part) is { } own ? new ReadingData(name(part), own, Vocabulary, mostWords) : null;
        parts.Add(part, data);
        return data;
    }

    // Those to train on are asked for twice, by the vocabulary and by the part.
    private IReadOnlyList<ReadingQuestion>? QuestionsOf(DataPart part)
    {
        if (!questions.TryGetValue(part, out IReadOnlyList<ReadingQuestion>? known)) questions.Add(part, known = load(part));
        return known;
    }
}
