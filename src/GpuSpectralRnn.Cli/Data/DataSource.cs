using System.Reflection;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>The data set that the options name, opened part by part.</summary>
internal sealed class DataSource
{
    private readonly SequenceVerb options;
    private readonly DataFormat format;
    private readonly DataParts parts;
    private readonly HoldOut? held;

    /// <summary>Checks the options against each other; files are opened later.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="model">The model the data are for, if there is one.</param>
    /// <param name="note">Called with what is worth telling while data are opened.</param>
    public DataSource(SequenceVerb options, Recipe? model, Action<string>? note = null)
    {
        this.options = options;
        CheckOwners();
        held = options.HoldOut is null ? null : new HoldOut(options.HoldOut);
        format = DataFormat.Find(options.Data) ?? throw new InvalidCallException(
            $"The data set '{options.Data}' is not known; choose one of {string.Join(", ", DataFormat.All.Select(known => known.Name))}.");
        parts = format.Open(new DataCall(options, model, held) { Note = note });
    }

    /// <summary>How images are read; null for data that are no images.</summary>
    public ImageView? View => parts.View;

    /// <summary>What tokens are numbered by; null for data that are no texts.</summary>
    public Vocabulary? Vocabulary => parts.Vocabulary?.Invoke();

    /// <summary>What a reader's words are numbered by; null for data that are no questions about texts.</summary>
    public ReadingVocabulary? Words => parts.Words?.Invoke();

    /// <summary>What there is to say about the parts that were loaded.</summary>
    public IEnumerable<string> Remarks => Enum.GetValues<DataPart>().SelectMany(parts.Remarks);

    /// <summary>What a model must remember to read such data alike.</summary>
    public IReadOnlyDictionary<string, string> Notes => parts.Notes?.Invoke() ?? new Dictionary<string, string>();

    /// <summary>The names of the classes; null where they are numbers.</summary>
    public IReadOnlyList<string>? Classes => parts.Classes?.Invoke();

    /// <summary>What target values stand for; null where they are what they are.</summary>
    public IReadOnlyList<TargetScale>? Targets => parts.Targets?.Invoke();

    /// <summary>What is to be answered: the named part, else all there is, else as <see cref="Open"/>.</summary>
    public (string Split, ISequenceData Data) OpenToAnswer(string? split) =>
        split is null && parts.Whole?.Invoke() is { } whole ? ("all", Limited(whole)) : Open(split);

    /// <summary>All parts there are, for training: the limit counts for the training part only.</summary>
    public DataSplits OpenAll()
    {
        (ISequenceData train, ISequenceData? valid) = OpenTraining();
        return new DataSplits(Limited(train), valid, parts.Load(DataPart.Test));
    }

    /// <summary>One part, limited. Without a name the test part, else the validation part, else the training part.</summary>
    public (string Split, ISequenceData Data) Open(string? split)
    {
        DataPart? part = split is null ? null : EnumNames.Parse<DataPart>(split, "--split");
        if (part is null or DataPart.Test && parts.Load(DataPart.Test) is { } test) return ("test", Limited(test));
        if (part is null or DataPart.Valid && parts.Load(DataPart.Valid) is { } watched) return ("valid", Limited(watched));
        if (part == DataPart.Test && held is null)
            throw new InvalidCallException($"--split test: there is no test set; give {(format.TakesTest ? "its files or " : "")}--holdout N.");
        (ISequenceData train, ISequenceData? valid) = OpenTraining();
        if (part == DataPart.Train || (part is null && valid is null)) return ("train", Limited(train));
        return valid is not null
            ? (part == DataPart.Test ? "test" : "valid", Limited(valid))
            : throw new InvalidCallException("--split valid: there is no validation set; set one aside with --holdout N.");
    }

    private (ISequenceData Train, ISequenceData? Valid) OpenTraining()
    {
        ISequenceData all = parts.Load(DataPart.Train) ?? throw new InvalidCallException(format.Required);
        return held is null ? (all, parts.Load(DataPart.Valid)) : held.Cut(all);
    }

    private ISequenceData Limited(ISequenceData data) => options.Limit is { } limit ? Subset.Limit(data, limit) : data;

    private void CheckOwners()
    {
        foreach ((PropertyInfo property, OptionAttribute option) in VerbOptions.All(options.GetType()))
        {
            string[] owners = [.. DataFormat.All.Where(known => known.Options.Contains(property.Name)).Select(known => known.Name)];
            if (owners.Length > 0 && !owners.Contains(options.Data) && property.GetValue(options) is not (null or false))
                throw new InvalidCallException(
                    $"{VerbOptions.Spell(option)} belongs to --data {string.Join(", ", owners)}, not to --data {options.Data}.");
        }
    }
}
