using CommandLine;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>What every verb that trains on a data set has: which model, and how it learns.</summary>
internal abstract class TrainingVerb : SequenceVerb
{
    [Option("cell", MetaValue = "C", HelpText = "irnn (default), rnn-tanh, rnn-relu, lstm or gru.")]
    public string? Cell { get; set; }

    [Option("hidden", Separator = ',', MetaValue = "H[,H...]", HelpText = "Hidden units of each layer (default 128).")]
    public IEnumerable<int> Hidden { get; set; } = [];

    [Option("layers", MetaValue = "L", HelpText = "Layers, all of the one size that --hidden gives (default 1).")]
    public int? Layers { get; set; }

    [Option("readout", MetaValue = "R",
        HelpText = "What the answer is read from: the last step, the mean of all, or every step (default: last; every where each step has a label).")]
    public string? Readout { get; set; }

    [Option("epochs", Default = 20, MetaValue = "N", HelpText = "Passes over the training set.")]
    public int Epochs { get; set; } = 20;

    [Option("optimizer", Default = "adam", MetaValue = "O", HelpText = "sgd, momentum, rmsprop, adam or adamw.")]
    public string Optimizer { get; set; } = "adam";

    [Option("lr", MetaValue = "X",
        HelpText = "Learning rate at its highest (default: 0.003, less in proportion for sequences of more than 28 steps; sgd 0.1, momentum 0.01).")]
    public double? Rate { get; set; }

    [Option("schedule", Default = "one-cycle", MetaValue = "S",
        HelpText = "How the rate moves: one-cycle (up, then down to almost nothing), constant, step (a tenth every 10 epochs), linear or cosine.")]
    public string ScheduleName { get; set; } = "one-cycle";

    [Option("clip", Default = 1.0, MetaValue = "X", HelpText = "Limit on the norm of all gradients together; 0: none.")]
    public double Clip { get; set; } = 1;

    [Option("weight-decay", Default = 0.0, MetaValue = "X", HelpText = "Weight decay on all parameters.")]
    public double WeightDecay { get; set; }

    /// <summary>Whether the options say what the model is.</summary>
    protected bool HasModelOptions => Cell is not null || Hidden.Any() || Layers is not null || Readout is not null;

    /// <summary>The model that the options describe, but for what the data tell; null extents are filled in by <see cref="Complete"/>.</summary>
    protected Architecture CheckedModelOptions()
    {
        int[] sizes = [.. Hidden];
        if (Layers is { } layers)
        {
            CheckPositive("--layers", layers);
            if (sizes.Length > 1 && sizes.Length != layers)
                throw new InvalidCallException(
                    $"--layers {layers} and --hidden {string.Join(',', sizes)} contradict each other; give one size, or {layers}.");
            if (sizes.Length <= 1) sizes = [.. Enumerable.Repeat(sizes.Length == 0 ? 128 : sizes[0], layers)];
        }

        Architecture architecture = new()
        {
            Cell = Names.Parse<Cell>(Cell ?? "irnn", "cell"),
            Inputs = 1,
            Hidden = sizes.Length == 0 ? [128] : sizes,
            Outputs = 1,
            Readout = Readout is null ? GpuSpectralRnn.Models.Readout.Last : Names.Parse<Readout>(Readout, "read-out"),
        };
        architecture.Validate();
        return architecture;
    }

    /// <summary>The architecture with what the data tell.</summary>
    protected Architecture Complete(Architecture asked, ISequenceData data, ImageView? view)
    {
        SequenceLayout layout = data.Layout;
        if (layout.Target == TargetKind.None) throw new InvalidCallException($"{data.Name} has no targets to learn; give labels or values.");
        return Describe(
            asked with
            {
                Inputs = layout.Features,
                Outputs = layout.Outputs,
                Task = layout.Target == TargetKind.Value ? TaskKind.Regression : TaskKind.Classification,
                Readout = Readout is null && layout.Target == TargetKind.LabelPerStep ? GpuSpectralRnn.Models.Readout.Every : asked.Readout,
            },
            view);
    }

    /// <summary>The architecture with the data that it is trained on.</summary>
    protected Architecture Describe(Architecture architecture, ImageView? view) =>
        architecture with { View = view?.Name(), Data = new Dictionary<string, string> { ["name"] = Data } };

    /// <summary>Checked before any file is opened; the rate follows when the data are known.</summary>
    protected TrainingSettings CheckedTrainingOptions()
    {
        OptimizerKind optimizer = Names.Parse<OptimizerKind>(Optimizer, "optimizer");
        CheckPositive("--epochs", Epochs);
        if (Rate is { } rate) CheckNumber("--lr", rate, isZeroFine: false);
        CheckNumber("--clip", Clip, isZeroFine: true);
        CheckNumber("--weight-decay", WeightDecay, isZeroFine: true);
        return new TrainingSettings
        {
            Epochs = Epochs,
            BatchSize = Batch,
            Optimizer = optimizer,
            Schedule = new Schedule { Kind = Names.Parse<ScheduleKind>(ScheduleName, "schedule") },
            Clip = Clip,
            WeightDecay = WeightDecay,
            Seed = Seed,
        };
    }

    /// <summary>The settings with the rate that was asked for, or one that suits the data.</summary>
    protected TrainingSettings WithRate(TrainingSettings settings, SequenceLayout layout) =>
        settings with { LearningRate = Rate ?? DefaultRate(settings.Optimizer, layout.Steps) };

    /// <summary>A change of the recurrent weights acts once per step: the longer the sequence, the smaller the change that it bears. 0.003 suits 28 steps.</summary>
    internal static double DefaultRate(OptimizerKind optimizer, int steps) => optimizer switch
    {
        OptimizerKind.Sgd => 0.1,
        OptimizerKind.Momentum => 0.01,
        _ => 0.003 * Math.Min(1, 28.0 / steps),
    };
}
