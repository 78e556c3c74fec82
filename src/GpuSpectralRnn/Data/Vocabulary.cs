using System.Text;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// The numbered tokens of a language model. One stands for unknown tokens, <see cref="Unknown"/> among words (many texts use it
/// themselves), <see cref="UnknownCharacter"/> among characters, unless the vocabulary is closed. Immutable.
/// </summary>
public sealed class Vocabulary
{
    /// <summary>Stands for every word that is not in the vocabulary.</summary>
    public const string Unknown = "<unk>";

    /// <summary>Stands at the end of every line of words.</summary>
    public const string EndOfLine = "<eos>";

    /// <summary>Stands for every character that is not in the vocabulary: U+FFFD, the replacement character.</summary>
    public const string UnknownCharacter = "\uFFFD";

    private readonly Dictionary<string, int> numbers;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup;

    /// <summary>
    /// A vocabulary in the order of <paramref name="tokens"/>; the tokens for unknown tokens and for the end of a line are added at the end where
    /// they are missing.
    /// </summary>
    /// <param name="unit">What a token is.</param>
    /// <param name="tokens">How they are written.</param>
    /// <param name="isClosed">Whether nothing is added: a model made elsewhere may know no other tokens.</param>
    /// <exception cref="InvalidCallException">A token is empty, there twice, or not one of <paramref name="unit"/>.</exception>
    public Vocabulary(TextUnit unit, IEnumerable<string> tokens, bool isClosed = false)
    {
        Unit = unit;
        List<string> all = [.. tokens];
        numbers = new Dictionary<string, int>(all.Count + 2);
        lookup = numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int i = 0; i < all.Count; i++)
        {
            if (!IsToken(all[i]))
                throw new InvalidCallException($"The vocabulary's entry {i + 1}, '{all[i]}', is no {unit.ToString().ToLowerInvariant()}.");
            if (!numbers.TryAdd(all[i], i))
                throw new InvalidCallException($"The vocabulary holds '{all[i]}' twice, as entries {numbers[all[i]] + 1} and {i + 1}.");
        }

        foreach (string special in isClosed ? [] : Special(unit))
        {
            if (numbers.TryAdd(special, all.Count)) all.Add(special);
        }

        Tokens = all;
        UnknownNumber = numbers.TryGetValue(Special(unit)[0], out int unknown) ? unknown : null;
    }

    /// <summary>Whether its tokens are words or characters.</summary>
    public TextUnit Unit { get; }

    /// <summary>The tokens in the order of their numbers.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>V, the number of tokens.</summary>
    public int Count => Tokens.Count;

    /// <summary>The number of the token for unknown tokens; null if the vocabulary is closed.</summary>
    public int? UnknownNumber { get; }

    /// <summary>The number of what ends a line: <see cref="EndOfLine"/>, or the line feed of a text by characters that has some.</summary>
    public int? LineEndNumber => numbers.TryGetValue(Unit == TextUnit.Word ? EndOfLine : "\n", out int number) ? number : null;

    /// <summary>The tokens of a text: words by falling frequency, then in the order they appear; characters by code point.</summary>
    /// <param name="path">UTF-8 text.</param>
    /// <param name="unit">What a token is.</param>
    /// <param name="size">The most tokens to take, the most frequent ones; null: all.</param>
    /// <param name="length">How many tokens of the text to look at; null: all.</param>
    /// <exception cref="InvalidCallException">The file is missing or empty, or <paramref name="size"/> leaves no room for words.</exception>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    public static Vocabulary OfText(string path, TextUnit unit, int? size = null, long? length = null)
    {
        string[] special = Special(unit);
        if (size <= special.Length)
            throw new InvalidCallException($"A vocabulary of {size} holds nothing beside {string.Join(' ', special)}; choose more.");
        Dictionary<string, int> places = [];
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> found = places.GetAlternateLookup<ReadOnlySpan<char>>();
        List<(string Token, long Count)> counts = []; // in the order they appear
        using TokenReader reader = Open(path, unit);
        for (long read = 0; read != length && reader.Next(out ReadOnlySpan<char> token); read++)
        {
            if (found.TryGetValue(token, out int place))
            {
                counts[place] = counts[place] with { Count = counts[place].Count + 1 };
                continue;
            }

            string added = token.ToString();
            places.Add(added, counts.Count);
            counts.Add((added, 1));
        }

        if (counts.Count == 0) throw new InvalidCallException($"The text {path} is empty; name one with words in it.");

        IEnumerable<string> byFrequency = counts.OrderByDescending(entry => entry.Count).Select(entry => entry.Token);
        if (size is { } most)
        {
            HashSet<string> kept = [.. byFrequency.Except(special).Take(most - special.Length), .. special];
            byFrequency = byFrequency.Where(kept.Contains);
        }

        return new Vocabulary(unit, unit == TextUnit.Word ? byFrequency : byFrequency.OrderBy(CodePoint));
    }

    /// <summary>Loads a vocabulary: words one to a line, in order; for characters a text in which each occurs.</summary>
    /// <param name="path">UTF-8 text.</param>
    /// <param name="unit">What a token is.</param>
    /// <param name="count">V of a model, where there is one: tokens are added as usual if that makes this number, else none.</param>
    /// <exception cref="InvalidCallException">The file is missing or empty, a word occurs twice, or
    /// their number is not <paramref name="count"/>.</exception>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    public static Vocabulary Load(string path, TextUnit unit, int? count = null)
    {
        Vocabulary vocabulary = unit == TextUnit.Word ? new(unit, ReadWords(path)) : OfText(path, unit);
        if (count is not { } needed || vocabulary.Count == needed) return vocabulary;
        string[] written = unit == TextUnit.Word ? ReadWords(path) : [.. vocabulary.Tokens.Except([UnknownCharacter])];
        return written.Length == needed ? new Vocabulary(unit, written, isClosed: true) : throw new InvalidCallException(
            $"The vocabulary {path} does not fit the model: it has {written.Length} {(unit == TextUnit.Word ? "words" : "characters")} "
            + $"({vocabulary.Count} with {(unit == TextUnit.Word ? $"{Unknown} and {EndOfLine}" : "U+FFFD")}), the model knows {needed} tokens; "
            + "give those it was trained with, in their order.");
    }

    private static string[] ReadWords(string path)
    {
        List<string> words = [];
        StringBuilder line = new();
        using Utf8Reader reader = Utf8Reader.Open(path);
        bool isText = true;
        while (isText)
        {
            isText = reader.Next(out Rune character);
            if (isText && character.Value != '\n')
            {
                line.Append(character.ToString());
                continue;
            }

            string word = line.ToString().Trim();
            line.Clear();
            if (word.Any(char.IsWhiteSpace))
                throw new InvalidCallException($"{path}: '{word}' stands on one line; a vocabulary has one word to a line.");
            if (word.Length > 0) words.Add(word);
        }

        if (words.Count == 0) throw new InvalidCallException($"The vocabulary {path} is empty; give one word to a line.");
        return [.. words];
    }

    /// <summary>The number of a token, known or not.</summary>
    /// <exception cref="InvalidCallException">It is unknown, and the vocabulary is closed.</exception>
    public int NumberOf(ReadOnlySpan<char> token) => lookup.TryGetValue(token, out int number) ? number : UnknownNumber
        ?? throw new InvalidCallException(
            $"'{ForeignText.Show(token.ToString())}' is none of the {Count} tokens of the model, which has none for what is unknown; "
            + "leave it out of the text.");

    /// <summary>The numbers of a file's tokens.</summary>
    /// <exception cref="InvalidCallException">The file is missing.</exception>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    public int[] EncodeFile(string path)
    {
        using TokenReader reader = Open(path, Unit);
        return Encode(reader);
    }

    /// <summary>The numbers of the tokens of <paramref name="beginning"/>, whose last line goes on.</summary>
    public int[] EncodeBeginning(string beginning)
    {
        const string name = "the beginning";
        using TokenReader reader = new(new Utf8Reader(new MemoryStream(Encoding.UTF8.GetBytes(beginning)), name), name, Unit, endsLastLine: false);
        return Encode(reader);
    }

    /// <summary>The text that these tokens stand for: words with spaces between them and line feeds for <see cref="EndOfLine"/>, characters as they
    /// are.</summary>
    public string Decode(IEnumerable<int> tokens)
    {
        StringBuilder text = new();
        foreach (int number in tokens)
        {
            string token = Tokens[number];
            if (Unit == TextUnit.Word && token == EndOfLine)
            {
                text.Append('\n');
                continue;
            }

            if (Unit == TextUnit.Word && text.Length > 0 && text[^1] != '\n') text.Append(' ');
            text.Append(token);
        }

        return text.ToString();
    }

    // The token for what is unknown comes first.
    private static string[] Special(TextUnit unit) => unit == TextUnit.Word ? [Unknown, EndOfLine] : [UnknownCharacter];

    private static TokenReader Open(string path, TextUnit unit) => new(Utf8Reader.Open(path), path, unit);

    private static int CodePoint(string character) => char.ConvertToUtf32(character, 0);

    private bool IsToken(string token) => Unit == TextUnit.Word
        ? token.Length > 0 && !token.Any(char.IsWhiteSpace)
        : Rune.DecodeFromUtf16(token, out _, out int used) == System.Buffers.OperationStatus.Done && used == token.Length;

    private int[] Encode(TokenReader reader)
    {
        List<int> tokens = [];
        while (reader.Next(out ReadOnlySpan<char> token)) tokens.Add(NumberOf(token));
        return [.. tokens];
    }
}
