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
    /// <summary>How language modelling is asked for.</summary>
    public const string Text = "text";

    private const string Known = "digits, idx, npy, text, adding, copy";
    private const int DigitsTrain = 8000;
    private const int DigitsTest = 2000;
    private const int SyntheticTrain = 10_000;
    private const int SyntheticTest = 1000;
    private const int AddingLength = 100;
    private const int CopyLength = 20;

    private readonly SequenceVerb options;
    private readonly Func<DataPart, ISequenceData?> load;
    private readonly HoldOut? held;
    private readonly TextSource? text;
    private readonly ulong seed;

    /// <summary>Checks the options against each other; files are opened later.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="model">The model the data are for, if there is one: it fixes the view and the number of classes where the options do not.</param>
    public DataSource(SequenceVerb options, Architecture? model)
    {
        this.options = options;
        seed = options.DataSeed ?? options.Seed;
        CheckOwners();
        held = options.HoldOut is null ? null : new HoldOut(options.HoldOut);
        if (held is not null && options.ValidText is not null)
            throw new InvalidCallException("--holdout and --valid both name what to watch; leave one out.");
        text = options.Data == Text ? new TextSource(options, model, held) : null;
        if (options.Data is "digits" or "idx") View = EnumNames.Parse<ImageView>(options.View ?? model?.View ?? "row", "--view");
        int? classes = model is { Task: TaskKind.Classification } ? model.Outputs : null;
        load = options.Data switch
        {
            "digits" => part => LoadDigits(part),
            "idx" => part => LoadIdx(part, classes),
            "npy" => part => LoadNpy(part, classes),
            Text => text!.Load,
            "adding" => part => Synthetic(part, count => AddingTask.Create(options.Length ?? AddingLength, count, seed, part)),
            "copy" => part => Synthetic(part, count => CopyTask.Create(options.Length ?? CopyLength, count, seed, part)),
            _ => throw new InvalidCallException($"The data set '{options.Data}' is not known; choose one of {Known}."),
        };
    }

    /// <summary>How images are read; null for data that are no images.</summary>
    public ImageView? View { get; }

    /// <summary>What tokens are numbered by; null for data that are no texts.</summary>
    public Vocabulary? Vocabulary => text?.Vocabulary;

    /// <summary>All parts there are, for training: the limit counts for the training part only.</summary>
    public DataSplits OpenAll()
    {
        (ISequenceData train, ISequenceData? valid) = OpenTraining();
        return new DataSplits(Limited(train), valid, load(DataPart.Test));
    }

    /// <summary>One part, limited. Without a name the test part, else the validation part, else the training part.</summary>
    public (string Split, ISequenceData Data) Open(string? split)
    {
        DataPart? part = split is null ? null : EnumNames.Parse<DataPart>(split, "--split");
        if (part is null or DataPart.Test && load(DataPart.Test) is { } test) return ("test", Limited(test));
        if (part is null or DataPart.Valid && load(DataPart.Valid) is { } watched) return ("valid", Limited(watched));
        if (part == DataPart.Test && held is null)
            throw new InvalidCallException(
                $"--split test: there is no test set; give {(options.Data is "idx" or Text ? "its files or " : "")}--holdout N.");
        (ISequenceData train, ISequenceData? valid) = OpenTraining();
        if (part == DataPart.Train || (part is null && valid is null)) return ("train", Limited(train));
        return valid is not null
            ? (part == DataPart.Test ? "test" : "valid", Limited(valid))
            : throw new InvalidCallException("--split valid: there is no validation set; set one aside with --holdout N.");
    }

    private (ISequenceData Train, ISequenceData? Valid) OpenTraining()
    {
        ISequenceData all = load(DataPart.Train) ?? throw new InvalidCallException(
            options.Data == Text ? "--data text needs --train F, a text to learn from." : "--data idx needs --images F and --labels F to train on.");
        return held is null ? (all, load(DataPart.Valid)) : held.Cut(all);
    }

    private ISequenceData Limited(ISequenceData data) => options.Limit is { } limit ? Subset.Limit(data, limit) : data;

    private ISequenceData? LoadDigits(DataPart part) =>
        part == DataPart.Valid ? null : Digits.Create(part == DataPart.Train ? DigitsTrain : DigitsTest, seed, View!.Value, part);

    private ImageData? LoadIdx(DataPart part, int? classes)
    {
        (string? images, string? labels, string prefix) = part switch
        {
            DataPart.Train => (options.Images, options.Labels, ""),
            DataPart.Test => (options.TestImages, options.TestLabels, "test-"),
            _ => (null, null, ""),
        };
        if (images is null && labels is null) return null;
        if (images is null || labels is null)
            throw new InvalidCallException(
                $"--{prefix}images and --{prefix}labels belong together; --{prefix}{(images is null ? "images" : "labels")} is missing.");
        return IdxData.Load(images, labels, View!.Value, classes);
    }

    private NpyData? LoadNpy(DataPart part, int? classes)
    {
        if (part != DataPart.Train) return null;
        return NpyData.Load(options.Inputs ?? throw new InvalidCallException(
            "--data npy needs --x X.npy."), options.Targets, classes, options.Lengths);
    }

    private static ISequenceData? Synthetic(DataPart part, Func<int, ISequenceData> create) => part switch
    {
        DataPart.Train => create(SyntheticTrain),
        DataPart.Test => create(SyntheticTest),
        _ => null,
    };

    private void CheckOwners()
    {
        foreach ((PropertyInfo property, OptionAttribute option) in VerbOptions.All(options.GetType()))
        {
            IReadOnlyList<string>? owners = property.GetCustomAttribute<OfDataAttribute>()?.Names;
            if (owners?.Contains(options.Data) == false && property.GetValue(options) is not (null or false))
                throw new InvalidCallException(
                    $"{VerbOptions.Spell(option)} belongs to --data {string.Join(", ", owners)}, not to --data {options.Data}.");
        }
    }
}
