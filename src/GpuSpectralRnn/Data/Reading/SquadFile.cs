using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Questions in SQuAD's format (Rajpurkar, Zhang, Lopyrev, Liang 2016; version 1.1): articles of paragraphs, each a text with questions, whose
/// answers are given by their text and by how many characters (code points) stand before it. An answer that does not begin and end with words of the
/// text is widened to those it touches. Packed files (<c>.gz</c>) are read too.
/// </summary>
public sealed class SquadFile
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = false, RespectNullableAnnotations = true };

    private readonly List<ReadingQuestion> questions = [];
    private readonly List<string> misplaced = [], wordless = [];

    private SquadFile(string path) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its questions, those without words left out.</summary>
    public IReadOnlyList<ReadingQuestion> Questions => questions;

    /// <summary>Answers that were given.</summary>
    public int AnswerCount { get; private set; }

    /// <summary>Answers that begin or end inside of a word, and were widened.</summary>
    public int Widened { get; private set; }

    /// <summary>
    /// The questions with an answer that is not where it says; such answers count when scores are taken, and training does not ask for them.
    /// </summary>
    public IReadOnlyList<string> Misplaced => misplaced;

    /// <summary>The questions without words, or about a text without words: left out.</summary>
    public IReadOnlyList<string> Wordless => wordless;

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidCallException">There is no such file, or it holds no question.</exception>
    /// <exception cref="BrokenFileException">It is no JSON, or lacks a member; the message says where.</exception>
    public static SquadFile Read(string path)
    {
        SquadFile file = new(path);
        foreach (Paragraph paragraph in Parse(path).Data.SelectMany(article => article.Paragraphs)) file.Add(paragraph);
        return file.questions.Count > 0 ? file : throw new InvalidCallException($"{path} holds no question with words; name a file of questions.");
    }

    private static Document Parse(string path)
    {
        using Stream stream = PackedFile.Open(path, "file of questions");
        try
        {
            return JsonSerializer.Deserialize<Document>(stream, Json) ?? throw new BrokenFileException(path, "it is null; it must be a JSON object.");
        }
        catch (JsonException e)
        {
            // Where a member is missing the reader has passed it; the line says about where that is.
            string reason = JsonFault.Describe(e);
            bool tellsPlace = reason.Contains(" of line ", StringComparison.Ordinal);
            string place = e.LineNumber is { } line && !tellsPlace ? $" (byte {e.BytePositionInLine} of line {line + 1})" : "";
            throw new BrokenFileException(path, $"it cannot be read: {reason}{place}.", e);
        }
        catch (InvalidDataException e)
        {
            throw InputFile.Corrupt(path, e);
        }
    }

    private void Add(Paragraph paragraph)
    {
        WordText context = WordText.Split(paragraph.Context);
        int[]? places = CodePoints(paragraph.Context);
        foreach (Question asked in paragraph.Questions)
        {
            WordText question = WordText.Split(asked.Text);
            if (question.Words.Count == 0 || context.Words.Count == 0)
            {
                wordless.Add(asked.Id);
                continue;
            }

            (int, int)? span = null;
            bool isMisplaced = false;
            foreach (Answer answer in asked.Answers)
            {
                AnswerCount++;
                (int First, int Last)? found = Place(context, answer, places, out bool isWidened);
                if (isWidened) Widened++;
                isMisplaced |= found is null;
                span ??= found;
            }

            if (isMisplaced) misplaced.Add(asked.Id);
            questions.Add(new ReadingQuestion(asked.Id, context, question, [.. asked.Answers.Select(answer => answer.Text)], span));
        }
    }

    // The words of an answer; null where the text does not say it there.
    private static (int First, int Last)? Place(WordText context, Answer answer, int[]? places, out bool isWidened)
    {
        isWidened = false;
        int code = answer.Start, start = places is null ? code : code >= 0 && code < places.Length ? places[code] : -1;
        if (start < 0 || answer.Text.Length == 0 || start > context.Text.Length - answer.Text.Length
            || !context.Text.AsSpan(start, answer.Text.Length).SequenceEqual(answer.Text)) return null;
        TextRange range = new(start + answer.Text.Length - answer.Text.TrimStart().Length, start + answer.Text.TrimEnd().Length);
        if (range.End <= range.Start || context.Touching(range) is not { } span) return null;
        isWidened = context.Words[span.First].Start != range.Start || context.Words[span.Last].End != range.End;
        return span;
    }

    // Where each code point begins in UTF-16; null where both count alike.
    private static int[]? CodePoints(string text)
    {
        if (!text.Any(char.IsHighSurrogate)) return null;
        List<int> places = [];
        for (int i = 0; i < text.Length; i += char.IsSurrogatePair(text, i) ? 2 : 1) places.Add(i);
        return [.. places];
    }

    private sealed record Document([property: JsonPropertyName("data"), JsonRequired] IReadOnlyList<Article> Data);

    private sealed record Article([property: JsonPropertyName("paragraphs"), JsonRequired] IReadOnlyList<Paragraph> Paragraphs);

    private sealed record Paragraph(
        [property: JsonPropertyName("context"), JsonRequired] string Context,
        [property: JsonPropertyName("qas"), JsonRequired] IReadOnlyList<Question> Questions);

    private sealed record Question(
        [property: JsonPropertyName("id"), JsonRequired] string Id,
        [property: JsonPropertyName("question"), JsonRequired] string Text)
    {
        [JsonPropertyName("answers")]
        public IReadOnlyList<Answer> Answers { get; init; } = [];
    }

    private sealed record Answer(
        [property: JsonPropertyName("text"), JsonRequired] string Text,
        [property: JsonPropertyName("answer_start"), JsonRequired] int Start);
}
