using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data.Reading;

/// <summary>Questions as sequences: numbers of words and characters, lengths, targets.</summary>
public class ReadingDataTests
{
    private static readonly WordText Context = WordText.Split("Anna gave the lamp to Bob. \U00010330na!");

    private static readonly ReadingQuestion[] Questions =
    [
        new("one", Context, WordText.Split("Who gave it?"), ["Anna"], (0, 0)),
        new("two", WordText.Split("Short text."), WordText.Split("What is this thing?"), ["Short text"], (0, 1)),
        new("three", Context, WordText.Split("Why?"), [], null),
    ];

    [Fact]
    public void Words_are_numbered_by_frequency_and_unknown_ones_are_zero()
    {
        ReadingVocabulary all = ReadingVocabulary.Of(Questions), few = ReadingVocabulary.Of(Questions, size: 3), common = ReadingVocabulary.Of(Questions, leastCount: 2);

        Assert.Equal(["<unk>", "?", "."], few.Words); // three question marks, two full stops of the two texts
        Assert.Equal(all.NumberOf("anna"), all.NumberOf("ANNA"));
        Assert.Equal(0, few.NumberOf("lamp"));
        Assert.Equal(["<unk>", "?", ".", "gave"], common.Words);
        Assert.NotEqual(all.NumberOf(new System.Text.Rune('A')), all.NumberOf(new System.Text.Rune('a')));
        Assert.Equal(0, all.NumberOf(new System.Text.Rune('Z')));
        Assert.Throws<InvalidCallException>(() => new ReadingVocabulary(["a"], []));
        Assert.Throws<InvalidCallException>(() => new ReadingVocabulary(["<unk>", "a", "a"], []));
        Assert.Throws<InvalidCallException>(() => new ReadingVocabulary(["<unk>"], ["\uFFFD", "ab"]));
    }

    [Fact]
    public void A_batch_holds_words_characters_lengths_and_places()
    {
        ReadingVocabulary vocabulary = ReadingVocabulary.Of(Questions);
        ReadingData data = new("set", Questions, vocabulary);
        Assert.Equal(["context", "context.letters", "question", "question.letters"], data.Layout.Fields.Select(field => field.Name));
        Assert.Equal((9, 5), (data.Layout.Steps, data.Layout.Fields[2].Steps));
        Batch batch = new(data.Layout, 3);

        data.Read([1, 0, 2], batch);

        Assert.Equal([3, 9, 9], batch.Lengths.ToArray());
        Assert.Equal([5, 4, 2], batch.Fields[2].Lengths.ToArray());
        Assert.Equal([0, 0, -1], batch.Labels.ToArray());
        Assert.Equal([1, 0, -1], batch.Targets[1].Labels.ToArray());
        Assert.Equal(vocabulary.NumberOf("text"), batch.Tokens[(1 * 3) + 0]);
        Assert.Equal(0, batch.Tokens[(3 * 3) + 0]); // beyond the length
        BatchField letters = batch.Fields[1];
        int size = letters.Layout.Steps * 3, word = (7 * 3) + 1; // the Gothic word of the second sequence: three letters, of which the first has two units
        Assert.Equal(3, letters.Lengths[word]);
        Assert.Equal(vocabulary.NumberOf(new System.Text.Rune(0x10330)), letters.Tokens[word]);
        Assert.Equal(vocabulary.NumberOf(new System.Text.Rune('n')), letters.Tokens[size + word]);
        Assert.Equal(0, letters.Lengths[(3 * 3) + 0]);
        Assert.Equal("one", data.Texts.Question(0).Id);
        Assert.Equal("three", new Subset(data, 1, 2).Texts!.Question(1).Id);
    }

    [Fact]
    public void A_question_of_no_words_is_refused()
    {
        ReadingQuestion empty = Questions[0] with { Question = WordText.Split(" ") }, bare = Questions[0] with { Context = WordText.Split("") };
        ReadingVocabulary vocabulary = ReadingVocabulary.Of(Questions);

        Assert.Contains("one", Assert.Throws<InvalidCallException>(() => new ReadingData("set", [empty], vocabulary)).Message);
        Assert.Contains("text", Assert.Throws<InvalidCallException>(() => new ReadingData("set", [bare], vocabulary)).Message);
        Assert.Throws<InvalidCallException>(() => new ReadingData("set", [], vocabulary));
    }

    [Fact]
    public void Long_words_are_read_up_to_a_limit()
    {
        ReadingQuestion question = new("q", WordText.Split(new string('x', 100)), WordText.Split("y"), [], null);
        ReadingData data = new("set", [question], ReadingVocabulary.Of([question]));

        Assert.Equal(ReadingData.MostCharacters, data.Layout.Fields[1].Characters);
        Assert.Equal(2, new ReadingData("set", [question], new ReadingVocabulary(["<unk>"], [])).Layout.Fields.Count);
    }
}
