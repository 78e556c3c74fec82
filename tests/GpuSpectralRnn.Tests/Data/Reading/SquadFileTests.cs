using System.IO.Compression;
using System.Text;
using System.Text.Json;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Data.Reading;

/// <summary>Questions in SQuAD's format, with the oddities of the real files.</summary>
public sealed class SquadFileTests : IDisposable
{
    // Repeated spaces, combining marks, characters of two UTF-16 units, quotes, answers inside words.
    private const string Text = "The  \u201cBlack\u201d  Forest \U0001F332 (cafe\u0301s) of the 1990s, a \"pro-democracy\" area\u2014north.";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("Forest", "Forest", false)]
    [InlineData("\u201cBlack\u201d  Forest", "\u201cBlack\u201d  Forest", false)]
    [InlineData("The  \u201cBlack\u201d", "The  \u201cBlack\u201d", false)]
    [InlineData("cafe\u0301s", "cafe\u0301s", false)] // behind a character of two units
    [InlineData("the 1990", "the 1990s", true)]
    [InlineData("democracy\" area", "democracy\" area", false)]
    [InlineData("mocracy", "democracy", true)]
    [InlineData(" of the ", "of the", false)] // spaces around an answer are no words
    [InlineData("north", "north", false)]
    public void Answers_stand_where_code_points_say(string answer, string words, bool isWidened)
    {
        int start = CodePoints(Text[..Text.IndexOf(answer, StringComparison.Ordinal)]);

        SquadFile file = Read(Paragraph(Text, ("q", "Which?", [(answer, start)])));

        ReadingQuestion question = Assert.Single(file.Questions);
        Assert.Equal(words, question.Context.Between(question.Span!.Value.First, question.Span.Value.Last));
        Assert.Equal([answer], question.Answers);
        Assert.Equal(isWidened ? 1 : 0, file.Widened);
        Assert.Empty(file.Misplaced);
    }

    [Fact]
    public void Answers_that_are_not_there_are_counted_and_named()
    {
        SquadFile file = Read(Paragraph(Text,
            ("right", "Which?", [("Forest", 14)]), ("late", "Which?", [("Forest", 15)]), ("beyond", "Which?", [("Forest", 5000)]),
            ("before", "Which?", [("Forest", -1)]), ("second", "Which?", [("Forrest", 14), ("The", 0)]), ("empty", "Which?", [("", 3)]), ("none", "Which?", [])));

        Assert.Equal(["late", "beyond", "before", "second", "empty"], file.Misplaced);
        Assert.Equal([true, false, false, false, true, false, false], file.Questions.Select(question => question.Span is not null));
        Assert.Equal(7, file.AnswerCount);
        Assert.Equal(["Forrest", "The"], file.Questions[4].Answers); // all count when scores are taken
        Assert.Same(file.Questions[0].Context, file.Questions[1].Context);
    }

    [Fact]
    public void Questions_without_words_are_left_out_and_named()
    {
        SquadFile file = Read(Paragraph(Text, ("blank", " \n", [("The", 0)]), ("good", "?", [("The", 0)])), Paragraph("  ", ("bare", "Which?", [])));

        Assert.Equal(["blank", "bare"], file.Wordless);
        Assert.Equal("good", Assert.Single(file.Questions).Id);
        Assert.Contains("no question", Assert.Throws<InvalidCallException>(() => Read(Paragraph(" ", ("bare", "Which?", [])))).Message);
    }

    [Theory]
    [InlineData("{\"data\":[\n  {\"paragraphs\":[}\n]}", "line 2")]
    [InlineData("{\"data\":[\n{\"paragraphs\":[\n{\"context\":\"a\",\"qas\":[\n{\"id\":\"1\",\"question\":3}]}]}]}", "line 4")]
    [InlineData("{\"data\":[{\"paragraphs\":[{\"qas\":[]}]}]}", "'context'")]
    [InlineData("{\"version\":\"1.1\"}", "'data'")]
    [InlineData("{\"data\":null}", "")]
    [InlineData("[]", "")]
    [InlineData("null", "null")]
    [InlineData("", "line 1")]
    public void What_is_no_such_file_is_refused_with_its_place(string json, string place)
    {
        string path = folder.File("bad.json");
        File.WriteAllText(path, json);

        string message = Assert.Throws<BrokenFileException>(() => SquadFile.Read(path)).Message;
        Assert.Contains(place, message);
        Assert.Contains("bad.json", message);
    }

    [Fact]
    public void Files_may_be_packed()
    {
        string path = folder.File("set.json.gz");
        using (GZipStream stream = new(File.Create(path), CompressionMode.Compress))
            stream.Write(Encoding.UTF8.GetBytes(Json(Paragraph(Text, ("q", "Which?", [("The", 0)])))));

        Assert.Single(SquadFile.Read(path).Questions);
        byte[] packed = File.ReadAllBytes(path);
        File.WriteAllBytes(path, packed[..(packed.Length / 2)]);
        Assert.Throws<BrokenFileException>(() => SquadFile.Read(path));
    }

    [Fact]
    public void A_text_of_ten_thousand_words_is_read_up_to_a_limit()
    {
        string text = string.Join(' ', Enumerable.Range(0, 10_000).Select(i => $"w{i}"));
        int near = text.IndexOf("w17 ", StringComparison.Ordinal), far = text.IndexOf("w9000 ", StringComparison.Ordinal);
        IReadOnlyList<ReadingQuestion> questions = Read(Paragraph(text, ("near", "Which?", [("w17", near)]), ("far", "Which?", [("w9000", far)]))).Questions;

        ReadingData whole = new("whole", questions, ReadingVocabulary.Of(questions)), cut = new("cut", questions, ReadingVocabulary.Of(questions), 400);

        Assert.Equal((10_000, 0), (whole.Layout.Steps, whole.Beyond));
        Assert.Equal((400, 1), (cut.Layout.Steps, cut.Beyond));
        Batch batch = new(cut.Layout, 2);
        cut.Read([0, 1], batch);
        Assert.Equal([17, -1], batch.Labels.ToArray());
        Assert.Equal([400, 400], batch.Lengths.ToArray());
    }

    [SkippableFact]
    public void XQuAD_loads_whole()
    {
        string? path = Environment.GetEnvironmentVariable("GSRNN_XQUAD");
        Skip.If(path is null, "GSRNN_XQUAD names no file: XQuAD's English part, xquad.en.json, perhaps packed.");

        SquadFile file = SquadFile.Read(path);

        Assert.Equal((1190, 1190), (file.Questions.Count, file.AnswerCount));
        Assert.Empty(file.Misplaced);
        Assert.Empty(file.Wordless);
        Assert.All(file.Questions, question => Assert.NotNull(question.Span));
        foreach (ReadingQuestion question in file.Questions)
            Assert.Contains(question.Answers[0].Trim(), question.Context.Between(question.Span!.Value.First, question.Span.Value.Last), StringComparison.Ordinal);
    }

    private static int CodePoints(string text) => text.EnumerateRunes().Count();

    private static object Paragraph(string context, params (string Id, string Question, (string Text, int Start)[] Answers)[] questions) => new
    {
        context,
        qas = questions.Select(q => new { id = q.Id, question = q.Question, answers = q.Answers.Select(a => new { text = a.Text, answer_start = a.Start }) }),
    };

    private static string Json(params object[] paragraphs) =>
        JsonSerializer.Serialize(new { version = "1.1", data = new[] { new { title = "t", paragraphs } } });

    private SquadFile Read(params object[] paragraphs)
    {
        string path = folder.File("set.json");
        File.WriteAllText(path, Json(paragraphs));
        return SquadFile.Read(path);
    }
}
