using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>The texts that the options name, all numbered by one vocabulary: the model's where there is one, else a given one, else that of the text
/// to train on, without what is held out.</summary>
internal sealed class TextSource
{
    private readonly SequenceVerb options;
    private readonly HoldOut? held;
    private readonly TextUnit unit;
    private readonly Lazy<Vocabulary> vocabulary;

    /// <summary>Checks the options against each other and the model; texts are opened later.</summary>
    public TextSource(SequenceVerb options, Architecture? model, HoldOut? held)
    {
        (this.options, this.held) = (options, held);
        TextUnit? asked = options.UnitName is { } name ? EnumNames.Parse<TextUnit>(name, "--unit") : null;
        if (options.VocabularySize is not null && options.VocabularyPath is not null)
            throw new InvalidCallException("--vocabulary gives the words; leave --vocabulary-size out.");
        if (model is null)
        {
            unit = asked ?? TextUnit.Word;
            vocabulary = new(Read);
            return;
        }

        if (!model.IsLanguageModel)
            throw new InvalidCallException($"--data text is for language models, which were trained on a text; this model is {model.Summary}.");
        if (model.Unit is not { } own)
        {
            unit = asked ?? TextUnit.Word;
            vocabulary = new(LoadWritten(options.VocabularyPath, unit, model.Vocabulary));
            return;
        }

        if (asked is not null && asked != own)
            throw new InvalidCallException($"--unit {options.UnitName}: the model reads its text by {own.Name()}; leave the option out.");
        if (options.VocabularySize is not null) throw new InvalidCallException("The model has its vocabulary; leave --vocabulary-size out.");
        unit = own;
        vocabulary = new(() => model.CreateVocabulary()!);
        if (options.VocabularyPath is { } path) CheckSame(Vocabulary.Load(path, own), path);
    }

    /// <summary>What the texts are numbered by.</summary>
    public Vocabulary Vocabulary => vocabulary.Value;

    /// <summary>A part that has a text of its own, or null.</summary>
    public TextData? Load(DataPart part)
    {
        string? path = part switch
        {
            DataPart.Train => options.TrainText,
            DataPart.Valid => options.ValidText,
            _ => options.TestText,
        };
        return path is null ? null : TextData.Load(path, Vocabulary, options.Window);
    }

    /// <summary>How the tokens of a model are written that does not say so itself.</summary>
    /// <param name="path">The file of its words, in their order.</param>
    /// <param name="unit">What a token is.</param>
    /// <param name="count">How many the model knows.</param>
    public static Vocabulary LoadWritten(string? path, TextUnit unit, int count)
    {
        if (path is null)
            throw new InvalidCallException(
                $"The model knows {count} tokens but not how they are written: name the file of its words with --vocabulary F.");
        return Vocabulary.Load(path, unit, count);
    }

    private Vocabulary Read()
    {
        if (options.VocabularyPath is { } path) return Vocabulary.Load(path, unit);
        string text = options.TrainText ?? throw new InvalidCallException("--data text needs --train F, a text to learn from.");
        long? length = null;
        if (held is not null)
        {
            // The words that the held-out part alone has must be unknown: nothing can be learned about them.
            TextData whole = TextData.Load(text, Vocabulary.OfText(text, unit), options.Window);
            length = ((TextData)held.Cut(whole).Kept).Asked + 1;
        }

        return Vocabulary.OfText(text, unit, options.VocabularySize, length);
    }

    private void CheckSame(Vocabulary given, string path)
    {
        Vocabulary own = Vocabulary;
        int same = given.Tokens.Zip(own.Tokens).TakeWhile(pair => pair.First == pair.Second).Count();

        // A model made elsewhere may do without the tokens that are added to those of a file.
        if (same == own.Count
            && given.Tokens.Skip(same).All(token => token is Vocabulary.Unknown or Vocabulary.EndOfLine or Vocabulary.UnknownCharacter))
            return;
        string difference = same < Math.Min(own.Count, given.Count)
            ? $"entry {same + 1} is '{given.Tokens[same]}', the model's '{own.Tokens[same]}'"
            : $"it has {given.Count} tokens, the model {own.Count}";
        throw new InvalidCallException(
            $"--vocabulary {path} does not fit the model: {difference}; leave the option out, the model has its vocabulary.");
    }
}
