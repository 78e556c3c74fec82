using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Questions in SQuAD's files.</summary>
internal sealed class SquadFormat : DataFormat
{
    public override string Name => "squad";

    public override string About => "questions about texts in SQuAD's JSON (version 1.1)";

    public override IReadOnlyList<string> Options =>
    [
        nameof(SequenceVerb.TrainText), nameof(SequenceVerb.ValidText), nameof(SequenceVerb.TestText), nameof(SequenceVerb.VocabularySize),
        nameof(SequenceVerb.ContextLength), nameof(TrainingVerb.Embedding), nameof(TrainingVerb.Spelling), nameof(TrainingVerb.Vectors),
        nameof(TrainingVerb.FixVectors),
    ];

    public override int Batch => 32;

    public override Cell Cell => Cell.Lstm;

    public override int Hidden => 100;

    public override double? Rate => 0.001;

    public override string Required => "--data squad needs --train F, a file of questions to learn from.";

    public override bool TakesTest => true;

    public override DataParts Open(DataCall call)
    {
        if (call.Held is not null && call.Options.ValidText is not null)
            throw new InvalidCallException("--holdout and --valid both name what to watch; leave one out.");
        Dictionary<string, SquadFile> files = [];
        ReadingSource source = new(call, part => Path.GetFileName(PathOf(call.Options, part)!), part =>
        {
            if (PathOf(call.Options, part) is not { } path) return null;
            if (!files.TryGetValue(path, out SquadFile? file)) files.Add(path, file = SquadFile.Read(path));
            return file.Questions;
        });
        return new(source.Load)
        {
            Words = () => source.Vocabulary,
            Remarks = part => files.GetValueOrDefault(PathOf(call.Options, part) ?? "") is { } file ? [.. Remarks(file, source.Load(part)!)] : [],
        };
    }

    // What there is to say about a file.
    private static IEnumerable<string> Remarks(SquadFile file, ReadingData data)
    {
        int steps = data.Layout.Fields[0].Steps;
        if (file.Widened > 0)
            yield return Note($"{file.Widened:N0} of {file.AnswerCount:N0} answers begin or end inside of a word and were widened to it");
        if (file.Misplaced.Count > 0)
            yield return Note(
                $"{file.Misplaced.Count:N0} questions have an answer that is not where it says, which is not trained on: {Some(file.Misplaced)}");
        if (file.Wordless.Count > 0)
            yield return Note($"{file.Wordless.Count:N0} questions without words, or about a text without, are left out: {Some(file.Wordless)}");
        if (data.Beyond > 0)
            yield return Note($"{data.Beyond:N0} answers stand beyond the first {steps:N0} words of their text, which are read (--context-length)");

        string Note(string what) => $"{data.Name}: {what}";
    }

    private static string Some(IReadOnlyList<string> ids)
    {
        const int shown = 5;
        return string.Join(", ", ids.Take(shown)) + (ids.Count > shown ? ", ..." : "");
    }

    private static string? PathOf(SequenceVerb options, DataPart part) => part switch
    {
        DataPart.Train => options.TrainText,
        DataPart.Valid => options.ValidText,
        _ => options.TestText,
    };
}
