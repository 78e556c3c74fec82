using System.Text;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Data;

public sealed class VocabularyTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Words_stand_by_frequency_then_by_appearance_and_the_unknown_is_added()
    {
        Vocabulary words = Vocabulary.OfText(Text("b a c a\n c b d\n"), TextUnit.Word);

        Assert.Equal(["b", "a", "c", "<eos>", "d", "<unk>"], words.Tokens);
        Assert.Equal(5, words.UnknownNumber);
        Assert.Equal((6, 1, 5), (words.Count, words.NumberOf("a"), words.NumberOf("nowhere")));
    }

    [Fact]
    public void An_unknown_word_of_the_text_itself_is_a_word_like_others()
    {
        Vocabulary words = Vocabulary.OfText(Text("<unk> a <unk> b\n"), TextUnit.Word);

        Assert.Equal(["<unk>", "a", "b", "<eos>"], words.Tokens);
        Assert.Equal(0, words.UnknownNumber);
    }

    [Fact]
    public void Characters_stand_by_code_point()
    {
        Vocabulary characters = Vocabulary.OfText(Text("b\u20ACa\nb\U0001F600é"), TextUnit.Char);

        Assert.Equal(["\n", "a", "b", "é", "\u20AC", "\U0001F600", "\uFFFD"], characters.Tokens);
        Assert.Equal(6, characters.UnknownNumber);
    }

    [Theory]
    [InlineData(4, "b c <eos> <unk>")] // a (2), d (1) have no room
    [InlineData(5, "b c <eos> a <unk>")]
    [InlineData(100, "b c <eos> a d <unk>")]
    public void A_size_keeps_the_most_frequent_and_the_special_tokens(int size, string expected) =>
        Assert.Equal(expected.Split(' '), Vocabulary.OfText(Text("b c b a c b c\nd a\n\n"), TextUnit.Word, size).Tokens);

    [Fact]
    public void A_length_looks_at_the_beginning_only() =>
        Assert.Equal(["b", "c", "<unk>", "<eos>"], Vocabulary.OfText(Text("b c b a\n"), TextUnit.Word, length: 3).Tokens);

    [Fact]
    public void A_size_without_room_for_words_is_refused() =>
        Assert.Contains("of 2", Assert.Throws<InvalidCallException>(() => Vocabulary.OfText(Text("a b\n"), TextUnit.Word, 2)).Message);

    // Every line feed is one <eos>, also of empty lines; the last line ends without one.
    [Theory]
    [InlineData("a b\n", "a b <eos>")]
    [InlineData("a b", "a b <eos>")]
    [InlineData(" a \t b \r\n\r\n a", "a b <eos> <eos> a <eos>")]
    [InlineData("\n \n ", "<eos> <eos>")]
    [InlineData("a\u00A0b\u2028b\n", "a b b <eos>")] // white space of Unicode
    [InlineData("\uFEFFa z\n", "a <unk> <eos>")]
    public void Words_are_what_stands_between_white_space(string text, string expected)
    {
        Vocabulary words = new(TextUnit.Word, ["a", "b"]);

        Assert.Equal(expected.Split(' '), words.EncodeFile(Text(text)).Select(number => words.Tokens[number]));
    }

    [Fact]
    public void Characters_are_taken_as_they_are()
    {
        Vocabulary characters = new(TextUnit.Char, ["a", " ", "\n"]);

        Assert.Equal([0, 1, 1, 2, 3, 0], characters.EncodeFile(Text("a  \r\nza")));
        Assert.Equal("a  \n\uFFFDa", characters.Decode([0, 1, 1, 2, 3, 0]));
    }

    [Fact]
    public void A_beginning_goes_on_in_its_line()
    {
        Vocabulary words = new(TextUnit.Word, ["a", "b"]);

        Assert.Equal([0, 2, 1], words.EncodeBeginning("a q b"));
        Assert.Equal([0, 3], words.EncodeBeginning("a\n"));
        Assert.Empty(words.EncodeBeginning(" "));
    }

    [Fact]
    public void Decoded_words_read_as_text()
    {
        Vocabulary words = new(TextUnit.Word, ["a", "b"]);

        Assert.Equal("a b\na <unk>\n\nb", words.Decode([0, 1, 3, 0, 2, 3, 3, 1]));
    }

    [Fact]
    public void A_written_vocabulary_keeps_its_order()
    {
        Assert.Equal(["z", "<unk>", "a", "<eos>"], Vocabulary.Load(Text("z\n<unk>\n\na\n"), TextUnit.Word).Tokens);
        Assert.Equal(["<eos>", "a", "<unk>"], Vocabulary.Load(Text("<eos>\na\n"), TextUnit.Word).Tokens);
        Assert.Equal(["\n", "a", "z", "\uFFFD"], Vocabulary.Load(Text("za\n"), TextUnit.Char).Tokens);
        Assert.Contains("'a b'", Assert.Throws<InvalidCallException>(() => Vocabulary.Load(Text("z\na b\n"), TextUnit.Word)).Message);
        Assert.Contains("'z' twice", Assert.Throws<InvalidCallException>(() => Vocabulary.Load(Text("z\nz\n"), TextUnit.Word)).Message);
        Assert.Contains("empty", Assert.Throws<InvalidCallException>(() => Vocabulary.Load(Text("\n"), TextUnit.Word)).Message);
    }

    [Theory]
    [InlineData(TextUnit.Word, "a b")]
    [InlineData(TextUnit.Word, "")]
    [InlineData(TextUnit.Char, "ab")]
    [InlineData(TextUnit.Char, "")]
    public void What_is_no_token_is_refused(TextUnit unit, string token) =>
        Assert.Throws<InvalidCallException>(() => new Vocabulary(unit, ["x", token]));

    [Fact]
    public void An_empty_text_and_one_without_spaces_are_refused()
    {
        Assert.Contains("empty", Assert.Throws<InvalidCallException>(() => Vocabulary.OfText(Text(""), TextUnit.Word)).Message);
        Assert.Contains("empty", Assert.Throws<InvalidCallException>(() => Vocabulary.OfText(Text("\uFEFF"), TextUnit.Char)).Message);
        Assert.Contains("1000", Assert.Throws<InvalidCallException>(() => Vocabulary.OfText(Text(new string('x', 1001)), TextUnit.Word)).Message);
        Assert.Equal(1000, Vocabulary.OfText(Text(new string('x', 1000)), TextUnit.Word).Tokens[0].Length);
    }

    [Fact]
    public void A_line_of_ten_megabytes_takes_no_more_memory_than_its_numbers()
    {
        string path = Text(string.Concat(Enumerable.Repeat("some words again ", 600_000)));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Vocabulary words = Vocabulary.OfText(path, TextUnit.Word);
        int[] numbers = words.EncodeFile(path);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(1_800_001, numbers.Length);
        Assert.Equal(5, words.Count);

        // A list that doubles allocates up to four times its content, and the array once more: below 36 MB; the line as a string would take 20 more.
        Assert.True(allocated < 45_000_000, $"{allocated} bytes");
    }

    // Models of other programs may know neither <unk> nor <eos>.
    [Fact]
    public void The_number_of_a_models_tokens_decides_whether_any_are_added()
    {
        Assert.Equal(["z", "a", "<unk>", "<eos>"], Vocabulary.Load(Text("z\na\n"), TextUnit.Word, 4).Tokens);
        Assert.Equal(["a", "z", "\uFFFD"], Vocabulary.Load(Text("za"), TextUnit.Char, 3).Tokens);
        Vocabulary words = Vocabulary.Load(Text("z\na\n"), TextUnit.Word, 2), characters = Vocabulary.Load(Text("za\n"), TextUnit.Char, 3);

        Assert.Equal(["z", "a"], words.Tokens);
        Assert.Equal(["\n", "a", "z"], characters.Tokens);
        Assert.Null(words.UnknownNumber);
        Assert.Equal([2, 1, 0], characters.EncodeFile(Text("za\n")));
        Assert.Contains("'b'", Assert.Throws<InvalidCallException>(() => characters.EncodeFile(Text("ab"))).Message);
        Assert.Contains("knows 3 tokens", Assert.Throws<InvalidCallException>(() => Vocabulary.Load(Text("z\na\n"), TextUnit.Word, 3)).Message);
    }

    private string Text(string content) => folder.Put("text", Encoding.UTF8.GetBytes(content));
}
