using System.Globalization;
using System.Reflection;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>What every verb that reads a data set has: which, how it is looked at, how much of it.</summary>
internal abstract partial class SequenceVerb : ComputeVerb
{
    /// <summary>How the options below appear in a usage line.</summary>
    protected const string DataUsage = "--data NAME [data options]";

    [Option("data", Required = true, MetaValue = "NAME", HelpText = nameof(HelpTexts.Data), ResourceType = typeof(HelpTexts))]
    public virtual string Data { get; set; } = "";

    [Option("images", MetaValue = "F", HelpText = "idx: images to train on (.gz or not).")]
    [ReadsFile]
    public string? Images { get; set; }

    [Option("labels", MetaValue = "F", HelpText = "idx: their labels.")]
    [ReadsFile]
    public string? Labels { get; set; }

    [Option("test-images", MetaValue = "F", HelpText = "idx: images to test on.")]
    [ReadsFile]
    public string? TestImages { get; set; }

    [Option("test-labels", MetaValue = "F", HelpText = "idx: their labels.")]
    [ReadsFile]
    public string? TestLabels { get; set; }

    [Option('x', "inputs", MetaValue = "X.npy", HelpText = "--x X.npy for short. npy: inputs, float32 [N, T, I]; 'part-*.npy', in quotes, for several files, in natural order.")]
    [ReadsFile]
    public string? Inputs { get; set; }

    [Option('y', "targets", MetaValue = "Y.npy", HelpText = "--y Y.npy for short. npy: integer labels [N], or float32 targets [N, D]; several files likewise.")]
    [ReadsFile]
    public string? Targets { get; set; }

    [Option("lengths", MetaValue = "L.npy",
        HelpText = "npy: valid steps of each sequence, integers [N] of 1 to T, where they are not all T; what stands beyond counts for nothing; several files likewise.")]
    [ReadsFile]
    public string? Lengths { get; set; }

    [Option("train", MetaValue = "F", HelpText = "text: UTF-8 text to learn from; squad: questions to learn from; they also give the vocabulary.")]
    [ReadsFile]
    public string? TrainText { get; set; }

    [Option("valid", MetaValue = "F", HelpText = "text, squad: what to watch while training.")]
    [ReadsFile]
    public string? ValidText { get; set; }

    [Option("test", MetaValue = "F", HelpText = "text, squad: what to test on.")]
    [ReadsFile]
    public string? TestText { get; set; }

    [Option("unit", MetaValue = "U", HelpText =
        "text: word (default; what stands between white space, each line ends with <eos>) or char; a trained model knows its own.")]
    public string? UnitName { get; set; }

    [Option("vocabulary", MetaValue = "F", HelpText =
        "text: the words, one to a line, instead of those of the training text; char: a text that holds all characters.")]
    [ReadsFile]
    public string? VocabularyPath { get; set; }

    [Option("vocabulary-size", MetaValue = "V",
        HelpText = "text, squad: keep only the most frequent tokens, V with <unk> and <eos>; the others are read as <unk>.")]
    public int? VocabularySize { get; set; }

    [Option("bptt", MetaValue = "T", HelpText =
        "text: tokens of a window (default 35), through which training goes back in time; the state is carried from window to window.")]
    public int? Bptt { get; set; }

    [Option("length", MetaValue = "T",
        HelpText = "adding: steps of a sequence (default 100); copy: blanks between reading and answering (default 20).")]
    public int? Length { get; set; }

    [Option("data-seed", MetaValue = "S",
        HelpText = "digits, adding, copy, reading: seed that the data are drawn by; speech: of noise " +
            "(default: --seed, which then moves data and weights together).")]
    public ulong? DataSeed { get; set; }

    [Option("context-length", MetaValue = "T",
        HelpText = "reading, squad: words of a text that are read (default: the model's, else 400); answers beyond are not found.")]
    public int? ContextLength { get; set; }

    [Option("view", MetaValue = "V",
        HelpText = "Images as sequences: row, pixel or permuted (pixels in a fixed random order); default: the model's, else row.")]
    public string? View { get; set; }

    [Option("holdout", MetaValue = "N|P%", HelpText =
        "Set the last N training sequences (text: windows), or P % of them (text: of the tokens), aside to watch " +
        "(split valid; split test too where there is no other).")]
    public string? HoldOut { get; set; }

    [Option("limit", MetaValue = "N",
        HelpText = "Use only the first N sequences, or windows of a text (of the split; train: of the training set, after --holdout).")]
    public int? Limit { get; set; }

    [Option("batch", MetaValue = "B", HelpText =
        "Sequences per step (default 64; reading, squad 32); of a text: columns that are read side by side, each from a state of zero (default 20).")]
    public int? BatchSize { get; set; }

    /// <summary>Sequences per step.</summary>
    protected int Batch => BatchSize ?? DataFormat.Find(Data)?.Batch ?? 64;

    /// <summary>T, tokens of a window of text.</summary>
    internal virtual int Window => Bptt ?? 35;

    /// <summary>The words of the call that say which data it reads, for a call that reads the same: <c>--data idx --images F ...</c>.</summary>
    protected IEnumerable<string> DataWords =>
    [
        "--data", Data.Length == 0 ? "NAME" : Data,
        .. from option in VerbOptions.All(typeof(SequenceVerb))
           where option.Property.Name == nameof(HoldOut) || DataFormat.All.Any(format => format.Options.Contains(option.Property.Name))
           let value = option.Property.GetValue(this)
           where value is not null
           from word in (string[])[VerbOptions.Spell(option.Option), Convert.ToString(value, CultureInfo.InvariantCulture)!]
           select word,
    ];

    /// <summary>Checks the values that need no file.</summary>
    protected void CheckDataOptions()
    {
        if (Data.Length == 0)
        {
            string verb = GetType().GetCustomAttribute<VerbAttribute>()?.Name ?? "";
            Data = Input is not null ? "speech" : SeriesFile is not null ? "csv"
                : throw new InvalidCallException($"{verb} needs --data; see 'gsrnn {verb} --help'.");
        }

        CheckPositive("--batch", Batch);
        CheckPositive("--bptt", Window);
        if (VocabularySize is { } size) CheckPositive("--vocabulary-size", size);
        if (Limit is { } limit) CheckPositive("--limit", limit);
        if (ContextLength is { } words) CheckPositive("--context-length", words);
        if (Length is { } length) CheckPositive("--length", length);
    }

    /// <summary>
    /// For example <c>2,000 sequences of digits (test)</c>, <c>82,429 tokens of ptb.test.txt, in 20 columns</c>: each column begins with a state of
    /// zero, so that the perplexity depends on their number.
    /// </summary>
    /// <param name="data">The set.</param>
    /// <param name="rows">What counted there.</param>
    protected string Extent(ISequenceData data, long rows) =>
        data.Layout.IsStream ? $"{rows:N0} tokens of {data.Name}, in {Batch} columns" : $"{data.Count:N0} sequences of {data.Name}";

    /// <summary>Refuses answers that are no numbers.</summary>
    /// <exception cref="RunFailedException">The loss is NaN or infinite.</exception>
    protected static void CheckFinite(Evaluation result, ISequenceData data)
    {
        if (!double.IsFinite(result.Loss) || !double.IsFinite(result.Value))
            throw new RunFailedException(
                $"The answers on {data.Name} are not finite ({result.Metric} {result.Value}): the network diverged. Train it again with a lower --lr or a --clip.");
    }

    /// <summary>
    /// R^2, the share of the targets' variance that a regression explains: 1 - mse / variance; null for other tasks and constant targets.
    /// </summary>
    protected static double? Explained(Evaluation result, ISequenceData data) =>
        data.Layout.Target == TargetKind.Value && TargetVariance.Measure(data) is > 0 and var variance ? 1 - (result.Value / variance) : null;

    /// <summary>The same for a line of text.</summary>
    protected static string ExplainedText(double? share) => share is { } r2 ? $", R^2 {r2:0.####}" : "";

    /// <summary>Checks the ridge, before any work.</summary>
    protected static void CheckRidge(IRidgeOption options)
    {
        if (options.Ridge is { } ridge) CheckNumber("--ridge", ridge, isZeroFine: true);
    }

    /// <summary>Checks epochs and rate of the training after pruning.</summary>
    protected static void CheckFineTuning(IFineTuningOptions options)
    {
        if (options.FineTune < 0) throw new InvalidCallException($"--fine-tune {options.FineTune}: choose a number of epochs, or 0 for none.");
        if (options.FineTuneRate is not { } rate) return;
        CheckNumber("--fine-tune-lr", rate, isZeroFine: false);
        if (options.FineTune == 0) throw new InvalidCallException("--fine-tune-lr belongs to --fine-tune EPOCHS.");
    }

    /// <summary>Refuses a count below one.</summary>
    protected static void CheckPositive(string option, int value)
    {
        if (value < 1) throw new InvalidCallException($"{option} {value}: choose 1 or more.");
    }

    /// <summary>Refuses what is no finite number above zero, or zero where that has a meaning.</summary>
    protected static void CheckNumber(string option, double value, bool isZeroFine)
    {
        if (!double.IsFinite(value) || value < 0 || (value == 0 && !isZeroFine))
            throw new InvalidCallException($"{option} {value}: choose a number above 0{(isZeroFine ? ", or 0 for none" : "")}.");
    }
}
