using System.Buffers;
using System.Globalization;
using System.Text;

namespace GpuSpectralRnn.Data;

/// <summary>
/// What a reader's words and characters are numbered by. Words are looked up in lower case, characters as they are written; number 0 of each stands
/// for what is unknown.
/// </summary>
public sealed class ReadingVocabulary
{
    private readonly Dictionary<string, int> words;
    private readonly Dictionary<Rune, int> characters = [];

    /// <summary>A vocabulary in the order of the lists, whose first entries stand for what is unknown.</summary>
    /// <exception cref="InvalidCallException">A list is empty, or an entry is there twice or no character.</exception>
    public ReadingVocabulary(IReadOnlyList<string> words, IReadOnlyList<string> characters)
    {
        (Words, Characters) = (words, characters);
        if (words.Count == 0 || words[0] != Vocabulary.Unknown || (characters.Count > 0 && characters[0] != Vocabulary.UnknownCharacter))
            throw new InvalidCallException("A reader's words begin with <unk>, and its characters, if there are any, with U+FFFD.");
        this.words = new(words.Count);
        for (int i = 0; i < words.Count; i++)
            if (!this.words.TryAdd(words[i], i)) throw new InvalidCallException($"The word '{words[i]}' is there twice; name each once.");
        for (int i = 0; i < characters.Count; i++)
        {
            if (Rune.DecodeFromUtf16(characters[i], out Rune rune, out int used) != OperationStatus.Done || used != characters[i].Length)
                throw new InvalidCallException($"'{characters[i]}' is no character.");
            if (!this.characters.TryAdd(rune, i)) throw new InvalidCallException($"The character '{characters[i]}' is there twice; name each once.");
        }
    }

    /// <summary>The words in the order of their numbers.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>The characters in the order of their numbers; none for readers of words alone.</summary>
    public IReadOnlyList<string> Characters { get; }

    /// <summary>The words and characters of questions and their texts, the most frequent first.</summary>
    /// <param name="questions">Those that training sees.</param>
    /// <param name="size">The most words, the one for unknown words among them; null: all.</param>
    /// <param name="leastCount">Words that occur less often stay unknown, so that the vector for unknown words is learned too.</param>
    public static ReadingVocabulary Of(IReadOnlyList<ReadingQuestion> questions, int? size = null, int leastCount = 1)
    {
        Dictionary<string, int> words = [];
        Dictionary<Rune, int> characters = [];
        foreach (WordText text in questions.Select(question => question.Question).Concat(questions.Select(question => question.Context).Distinct()))
        {
            for (int i = 0; i < text.Words.Count; i++)
            {
                string word = text.Word(i), folded = Fold(word);
                words[folded] = words.GetValueOrDefault(folded) + 1;
                foreach (Rune rune in word.EnumerateRunes()) characters[rune] = characters.GetValueOrDefault(rune) + 1;
            }
        }

        words.Remove(Vocabulary.Unknown);
        characters.Remove(Rune.ReplacementChar);
        IEnumerable<string> kept = words.Where(pair => pair.Value >= leastCount)
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key);
        return new(
            [Vocabulary.Unknown, .. size is { } most ? kept.Take(Math.Max(0, most - 1)) : kept],
            [Vocabulary.UnknownCharacter, .. characters.Keys.Order().Select(rune => rune.ToString())]);
    }

    /// <summary>A word as it is looked up.</summary>
    public static string Fold(string word) => word.ToLower(CultureInfo.InvariantCulture);

    /// <summary>The number of a word.</summary>
    public int NumberOf(string word) => words.GetValueOrDefault(Fold(word));

    /// <summary>The number of a character.</summary>
    public int NumberOf(Rune character) => characters.GetValueOrDefault(character);
}
