using System.Globalization;
using System.Text;

namespace GpuSpectralRnn.Data;

/// <summary>A part of a text: UTF-16 units from <paramref name="Start"/> to before <paramref name="End"/>.</summary>
public readonly record struct TextRange(int Start, int End);

/// <summary>
/// A text and its words: runs of letters, digits and the marks that combine with them; every other visible character is a word of its own, as in the
/// Penn treebank punctuation is. White space parts words and belongs to none.
/// </summary>
public sealed class WordText
{
    private WordText(string text, TextRange[] words) => (Text, Words) = (text, words);

    /// <summary>The text as it was given.</summary>
    public string Text { get; }

    /// <summary>Where its words stand, in order.</summary>
    public IReadOnlyList<TextRange> Words { get; }

    /// <summary>The words of a text; none of white space alone.</summary>
    public static WordText Split(string text)
    {
        List<TextRange> words = [];
        int start = -1, place = 0; // start of a run of letters, or -1
        foreach (Rune rune in text.EnumerateRunes())
        {
            int width = rune.Utf16SequenceLength; // half of a pair counts as U+FFFD, of one unit
            bool isSpace = Rune.IsWhiteSpace(rune);
            if (!isSpace && Runs(rune, start >= 0))
            {
                if (start < 0) start = place;
            }
            else
            {
                if (start >= 0) words.Add(new(start, place));
                start = -1;
                if (!isSpace) words.Add(new(place, place + width));
            }

            place += width;
        }

        if (start >= 0) words.Add(new(start, place));
        return new WordText(text, [.. words]);
    }

    /// <summary>A word as it is written.</summary>
    public string Word(int index) => Text[Words[index].Start..Words[index].End];

    /// <summary>The text from one word to another, both included, with what stands between them.</summary>
    public string Between(int first, int last) => Text[Words[first].Start..Words[last].End];

    /// <summary>The words that a part of the text touches; null where it touches none.</summary>
    public (int First, int Last)? Touching(TextRange range)
    {
        int first = 0;
        while (first < Words.Count && Words[first].End <= range.Start) first++;
        int last = first - 1;
        while (last + 1 < Words.Count && Words[last + 1].Start < range.End) last++;
        return last < first ? null : (first, last);
    }

    private static bool Runs(Rune rune, bool isInside) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => true,
        UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => true,
        UnicodeCategory.Format => isInside, // joiners inside of a word
        _ => false,
    };
}
