using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data.Reading;

/// <summary>Words of a text and where they stand.</summary>
public class WordTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\n\u00a0\u3000", "")]
    [InlineData("The end.", "The|end|.")]
    [InlineData("two  spaces\u00a0and 3.5%", "two|spaces|and|3|.|5|%")]
    [InlineData("\u201cwell-known\u201d (U.S.)", "\u201c|well|-|known|\u201d|(|U|.|S|.|)")]
    [InlineData("cafe\u0301 na\u00efve", "cafe\u0301|na\u00efve")] // a mark that combines belongs to its letter
    [InlineData("\u0646\u200c\u0645 a\u200b", "\u0646\u200c\u0645|a\u200b")] // joiners inside of words
    [InlineData("6\u00bd x\u00b2", "6\u00bd|x\u00b2")]
    [InlineData("a\U0001F600b \U00010330\U00010331", "a|\U0001F600|b|\U00010330\U00010331")] // two units each: a sign, and letters
    public void Words_are_runs_of_letters_and_single_signs(string text, string words)
    {
        WordText split = WordText.Split(text);

        Assert.Equal(words, string.Join('|', Enumerable.Range(0, split.Words.Count).Select(split.Word)));
        Assert.All(split.Words, word => Assert.True(word.Start < word.End));
        Assert.All(split.Words.Zip(split.Words.Skip(1)), pair => Assert.True(pair.First.End <= pair.Second.Start));
    }

    [Fact]
    public void Lone_surrogates_are_signs() => Assert.Equal(3, WordText.Split("a\ud800b").Words.Count);

    [Theory]
    [InlineData(4, 7, "one")] // exactly
    [InlineData(5, 6, "one")] // inside
    [InlineData(0, 5, "In one")]
    [InlineData(7, 9, ".")]
    [InlineData(2, 4, null)] // white space alone
    [InlineData(9, 12, null)] // behind the end
    public void A_part_of_a_text_touches_words(int start, int end, string? words)
    {
        WordText text = WordText.Split("In  one. ");

        (int First, int Last)? found = text.Touching(new TextRange(start, end));
        Assert.Equal(words is null, found is null);
        if (found is { } span) Assert.Equal(words!.Replace(" ", "  ", StringComparison.Ordinal), text.Between(span.First, span.Last));
    }
}
