using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>A kind of data set: what it is called, which options it heeds, and how its parts are opened.</summary>
internal abstract class DataFormat
{
    /// <summary>All there are, in the order of the help page.</summary>
    public static IReadOnlyList<DataFormat> All { get; } =
    [
        new DigitsFormat(), new IdxFormat(), new CifarFormat(), new SpeechFormat(), new CsvFormat(), new NpyFormat(), new TextFormat(),
        new AddingFormat(), new CopyFormat(), new ReadingFormat(), new SquadFormat(),
    ];

    /// <summary>The value of <c>--data</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, for the help page.</summary>
    public abstract string About { get; }

    /// <summary>The options that it heeds, by the names of their properties; no other format takes them that does not name them too.</summary>
    public abstract IReadOnlyList<string> Options { get; }

    /// <summary>Sequences per step where the call does not say.</summary>
    public virtual int Batch => 64;

    /// <summary>The cell of a network to train where the call does not say.</summary>
    public virtual Cell Cell => Cell.Irnn;

    /// <summary>Hidden units of each layer of a network to train where the call does not say.</summary>
    public virtual int Hidden => 128;

    /// <summary>The learning rate of the Adam family where the call does not say; null: by the number of steps.</summary>
    public virtual double? Rate => null;

    /// <summary>What is read out of a network to train where the call does not say.</summary>
    public virtual Readout Readout => Readout.Last;

    /// <summary>What a call must give to train, said where it does not.</summary>
    public virtual string Required => $"--data {Name} has nothing to train on.";

    /// <summary>Whether a call can name a test set of its own.</summary>
    public virtual bool TakesTest => false;

    /// <summary>Checks the options against each other and the model; files are opened when a part is asked for.</summary>
    public abstract DataParts Open(DataCall call);

    /// <summary>The format of a name, or null.</summary>
    public static DataFormat? Find(string name) => All.FirstOrDefault(format => format.Name == name);
}

/// <summary>What a data set is opened by.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Recipe">
/// The model that the data are for, if there is one: it fixes the view, the number of classes and the words where the options do not.
/// </param>
/// <param name="Held">How much of the training set is set aside.</param>
internal sealed record DataCall(SequenceVerb Options, Recipe? Recipe, HoldOut? Held)
{
    /// <summary>The model, where it is a stack.</summary>
    public Architecture? Model => Recipe as Architecture;

    /// <summary>What generated data are drawn by.</summary>
    public ulong Seed => Options.DataSeed ?? Options.Seed;

    /// <summary>Called with what is worth telling while data are opened; null: nobody listens.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>How images are read.</summary>
    public ImageView View => EnumNames.Parse<ImageView>(Options.View ?? Model?.View ?? "row", "--view");

    /// <summary>The number of classes that a model fixes.</summary>
    public int? Classes => Model is { Task: TaskKind.Classification } ? Model.Outputs : null;
}

/// <summary>The parts of a data set.</summary>
/// <param name="Load">Opens a part; gives null where there is none.</param>
internal sealed record DataParts(Func<DataPart, ISequenceData?> Load)
{
    /// <summary>How images are read; null for data that are no images.</summary>
    public ImageView? View { get; init; }

    /// <summary>What tokens are numbered by, read when it is asked for; null for data that are no texts.</summary>
    public Func<Vocabulary>? Vocabulary { get; init; }

    /// <summary>What a reader's words are numbered by, read when it is asked for; null for data that are no questions about texts.</summary>
    public Func<ReadingVocabulary>? Words { get; init; }

    /// <summary>What there is to say about a part that was loaded; nothing by default.</summary>
    public Func<DataPart, IReadOnlyList<string>> Remarks { get; init; } = _ => [];

    /// <summary>What a model must remember to read such data alike, asked for once a part is open; null for nothing.</summary>
    public Func<IReadOnlyDictionary<string, string>>? Notes { get; init; }

    /// <summary>The names of the classes; null where they are numbers.</summary>
    public Func<IReadOnlyList<string>?>? Classes { get; init; }

    /// <summary>What target values stand for; null where they are what they are.</summary>
    public Func<IReadOnlyList<TargetScale>>? Targets { get; init; }

    /// <summary>What is answered where no part is named, instead of one of them; null for the test part.</summary>
    public Func<ISequenceData?>? Whole { get; init; }

    /// <summary>A set that is drawn, in a part to train on and one to test on.</summary>
    public static DataParts Drawn(int train, int test, Func<int, DataPart, ISequenceData> draw) => new(part => part switch
    {
        DataPart.Train => draw(train, part),
        DataPart.Test => draw(test, part),
        _ => null,
    });
}
