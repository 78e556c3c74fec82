using CommandLine;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>What every verb that reads a data set has: which, how it is looked at, how much of it.</summary>
internal abstract class SequenceVerb : ComputeVerb
{
    /// <summary>How the options below appear in a usage line.</summary>
    protected const string DataUsage = "--data NAME [data options]";

    [Option("data", Required = true, MetaValue = "NAME", HelpText =
        "digits: built-in handwritten-like digits, 28x28, drawn from the seed (8000 to train, 2000 to test); idx: MNIST files; npy: arrays; " +
        "adding, copy: synthetic long-range tasks (10,000 to train, 1000 to test).")]
    public string Data { get; set; } = "";

    [Option("images", MetaValue = "F", HelpText = "idx: images to train on (.gz or not).")]
    public string? Images { get; set; }

    [Option("labels", MetaValue = "F", HelpText = "idx: their labels.")]
    public string? Labels { get; set; }

    [Option("test-images", MetaValue = "F", HelpText = "idx: images to test on.")]
    public string? TestImages { get; set; }

    [Option("test-labels", MetaValue = "F", HelpText = "idx: their labels.")]
    public string? TestLabels { get; set; }

    [Option('x', "inputs", MetaValue = "X.npy", HelpText = "--x X.npy for short. npy: inputs, float32 [N, T, I].")]
    public string? Inputs { get; set; }

    [Option('y', "targets", MetaValue = "Y.npy", HelpText = "--y Y.npy for short. npy: integer labels [N], or float32 targets [N, D].")]
    public string? Targets { get; set; }

    [Option("lengths", MetaValue = "L.npy",
        HelpText = "npy: valid steps of each sequence, integers [N] of 1 to T, where they are not all T; what stands beyond counts for nothing.")]
    public string? Lengths { get; set; }

    [Option("length", MetaValue = "T",
        HelpText = "adding: steps of a sequence (default 100); copy: blanks between reading and answering (default 20).")]
    public int? Length { get; set; }

    [Option("view", MetaValue = "V",
        HelpText = "Images as sequences: row, pixel or permuted (pixels in a fixed random order); default: the model's, else row.")]
    public string? View { get; set; }

    [Option("holdout", MetaValue = "N",
        HelpText = "Set the last N training sequences aside to watch (split valid; split test too where there is no other).")]
    public int? HoldOut { get; set; }

    [Option("limit", MetaValue = "N", HelpText = "Use only the first N sequences (of the split; train: of the training set, after --holdout).")]
    public int? Limit { get; set; }

    [Option("batch", Default = 64, MetaValue = "B", HelpText = "Sequences per step.")]
    public int Batch { get; set; } = 64;

    /// <summary>Checks the values that need no file.</summary>
    protected void CheckDataOptions()
    {
        CheckPositive("--batch", Batch);
        if (Limit is { } limit) CheckPositive("--limit", limit);
        if (HoldOut is { } held) CheckPositive("--holdout", held);
        if (Length is { } length) CheckPositive("--length", length);
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
