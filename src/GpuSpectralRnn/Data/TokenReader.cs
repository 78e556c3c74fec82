using System.Text;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Cuts a text into tokens as it is read. Words are those of Mikolov's form of the Penn Treebank: text between
/// white space, and <see cref="Vocabulary.EndOfLine"/> for every line feed and for the end of a last line without one.
/// </summary>
internal sealed class TokenReader : IDisposable
{
    /// <summary>Longest word in characters; longer ones point to text without spaces.</summary>
    private const int LongestWord = 1000;

    private readonly Utf8Reader text;
    private readonly string name;
    private readonly TextUnit unit;
    private readonly bool endsLastLine;
    private readonly char[] token = new char[LongestWord + 2];
    private bool isLineFeedNext;
    private bool isInLine;

    /// <summary>Reads the tokens of <paramref name="text"/>, which is disposed with this.</summary>
    /// <param name="text">The characters.</param>
    /// <param name="name">The file, for messages.</param>
    /// <param name="unit">What a token is.</param>
    /// <param name="endsLastLine">Whether the last line of words ends where it has no line feed; not so for a beginning that goes on.</param>
    public TokenReader(Utf8Reader text, string name, TextUnit unit, bool endsLastLine = true)
    {
        this.text = text;
        this.name = name;
        this.unit = unit;
        this.endsLastLine = endsLastLine;
    }

    /// <summary>Goes on at a place of the text, which <paramref name="text"/> has been brought to.</summary>
    public TokenReader(Utf8Reader text, string name, TextUnit unit, TokenPlace place)
        : this(text, name, unit) => (isLineFeedNext, isInLine) = (place.IsLineFeedNext, place.IsInLine);

    /// <summary>Where the next token begins.</summary>
    public TokenPlace Place => new(text.Offset, isLineFeedNext, isInLine);

    /// <summary>Reads the next token, valid until the next call; false at the end.</summary>
    /// <exception cref="BrokenFileException">The text is not UTF-8.</exception>
    /// <exception cref="InvalidCallException">A word is too long to be one.</exception>
    public bool Next(out ReadOnlySpan<char> next) => unit == TextUnit.Char ? NextCharacter(out next) : NextWord(out next);

    /// <inheritdoc/>
    public void Dispose() => text.Dispose();

    private bool NextCharacter(out ReadOnlySpan<char> next)
    {
        bool isThere = text.Next(out Rune character);
        next = isThere ? token.AsSpan(0, character.EncodeToUtf16(token)) : default;
        return isThere;
    }

    private bool NextWord(out ReadOnlySpan<char> next)
    {
        int length = 0;
        while (!isLineFeedNext && text.Next(out Rune character))
        {
            isLineFeedNext = character.Value == '\n';
            if (Rune.IsWhiteSpace(character))
            {
                if (length > 0 || isLineFeedNext) break;
                continue;
            }

            isInLine = true;
            length += character.EncodeToUtf16(token.AsSpan(length));
            if (length > LongestWord)
                throw new InvalidCallException(
                    $"{name}: the word that ends beyond offset {text.Offset} has more than {LongestWord} characters; read it with `unit` char.");
        }

        if (length > 0)
        {
            next = token.AsSpan(0, length);
            return true;
        }

        bool isEnd = isLineFeedNext || (isInLine && endsLastLine);
        isLineFeedNext = isInLine = false;
        next = isEnd ? Vocabulary.EndOfLine : default;
        return isEnd;
    }
}

/// <summary>A place between two tokens, at which reading can begin.</summary>
/// <param name="Offset">In bytes.</param>
/// <param name="IsLineFeedNext">Whether a line feed that was read is the next token.</param>
/// <param name="IsInLine">Whether a word of the line was read.</param>
internal readonly record struct TokenPlace(long Offset, bool IsLineFeedNext, bool IsInLine);
