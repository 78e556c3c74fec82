using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>Base of verbs that train: architecture and hyperparameters.</summary>
internal abstract class TrainingVerb : SequenceVerb
{
    [Option("recipe", MetaValue = "R", HelpText =
        "text: ptb-small, ptb-medium or ptb-large, model and training of Zaremba, Sutskever, Vinyals 2014, " +
        "or ptb-rnn (rnn-tanh 128); further options override it.")]
    public string? RecipeName { get; set; }

    [Option("cell", MetaValue = "C",
        HelpText = "irnn (default), rnn-tanh, rnn-relu, lstm (default for text, speech, csv), gru, gru-reset-before or lstm-peephole.")]
    public string? Cell { get; set; }

    [Option("hidden", Separator = ',', MetaValue = "H[,H...]", HelpText = "Hidden units of each layer (default 128).")]
    public IEnumerable<int> Hidden { get; set; } = [];

    [Option("layers", MetaValue = "L", HelpText = "Layers, all of the one size that --hidden gives (default 1).")]
    public int? Layers { get; set; }

    [Option("bidirectional", HelpText = "Give every layer a second direction, from the last step to the first.")]
    public bool Bidirectional { get; set; }

    [Option("readout", MetaValue = "R",
        HelpText = "What the answer is read from: last (the state in which each direction ends), " +
            "last-step (out[:, -1]: of a reverse direction its state after one " +
        "step), mean, or every step (default: last; of speech mean; every where each step has a label).")]
    public string? Readout { get; set; }

    [Option("embedding", MetaValue = "E", HelpText = "text: numbers that stand for a token (default: as many as units of the first layer).")]
    public int? Embedding { get; set; }

    [Option("tie-weights", HelpText = "text: the embedding's weights are the read-out's too; E is then the units of the top layer.")]
    public bool TieWeights { get; set; }

    [Option("init-range", MetaValue = "X",
        HelpText = "Begin with all weights uniform in +-X (default: as PyTorch, by the size of each layer; irnn: the identity).")]
    public double? InitialRange { get; set; }

    [Option("dropout", MetaValue = "P", HelpText =
        "Share of what each layer hands to the next that is dropped in training (two layers or more); " +
        "text: of the embedding and before the read-out too (default 0).")]
    public double? DropoutShare { get; set; }

    [Option("epochs", MetaValue = "N", HelpText = "Passes over the training set (default 20).")]
    public int? EpochCount { get; set; }

    [Option("optimizer", MetaValue = "O", HelpText = "sgd, momentum, rmsprop, adam (default) or adamw.")]
    public string? OptimizerName { get; set; }

    [Option("lr", MetaValue = "X",
        HelpText = "Learning rate at its highest (default: 0.003, less in proportion for sequences of more than 28 steps; sgd 0.1, momentum 0.01).")]
    public double? Rate { get; set; }

    [Option("schedule", MetaValue = "S", HelpText =
        "How the rate moves: one-cycle (default: up, then down to almost nothing), constant (default of --method: units close to the end), step (falls every 10 epochs), linear, cosine, " +
        "decay (falls every epoch after --hold-epochs) or anneal " +
        "(falls when the held-out sequences say that an epoch was no better, and the best weights come back).")]
    public string? ScheduleName { get; set; }

    [Option("gamma", MetaValue = "X", HelpText = "What the rate is multiplied by where it falls (default: step 0.1, decay 0.5, anneal 0.25).")]
    public double? Gamma { get; set; }

    [Option("hold-epochs", MetaValue = "N", HelpText = "decay: epochs before the rate falls (default 4).")]
    public int? HeldEpochs { get; set; }

    [Option("clip", MetaValue = "X", HelpText = "Limit on the norm of all gradients together (default 1); 0: none.")]
    public double? Clip { get; set; }

    [Option("weight-decay", Default = 0.0, MetaValue = "X", HelpText = "Weight decay on all parameters.")]
    public double WeightDecay { get; set; }

    /// <inheritdoc/>
    internal override int Window => Bptt ?? Recipe?.Steps ?? base.Window;

    /// <summary>Passes over the training set.</summary>
    protected int Epochs => EpochCount ?? Recipe?.Epochs ?? 20;

    /// <summary>The optimiser's name.</summary>
    protected string Optimizer => OptimizerName ?? (Recipe is null ? "adam" : "sgd");

    /// <summary>Whether the options say what the model is.</summary>
    protected bool HasModelOptions =>
        Cell is not null || Hidden.Any() || Layers is not null || Bidirectional || Readout is not null
        || Embedding is not null || TieWeights || InitialRange is not null;

    /// <summary>The schedule where none is given.</summary>
    protected virtual string DefaultSchedule => Recipe is null ? "one-cycle" : "decay";

    private TrainingRecipe? Recipe => RecipeName is null ? null : TrainingRecipe.Find(RecipeName);

    /// <summary>The architecture of the options, without what the data determine; null extents are set by <see cref="Complete"/>.</summary>
    protected Architecture CheckedModelOptions()
    {
        if (InitialRange is { } range) CheckNumber("--init-range", range, isZeroFine: false);
        if (Embedding is { } embedding) CheckPositive("--embedding", embedding);
        int[] sizes = Hidden.Any() || Layers is not null || Recipe is null ? [.. Hidden] : Recipe.Hidden;
        if (Layers is { } layers)
        {
            CheckPositive("--layers", layers);
            if (layers > Architecture.MostLayers) throw new InvalidCallException($"--layers {layers}: choose 1 to {Architecture.MostLayers}.");
            if (sizes.Length > 1 && sizes.Length != layers)
                throw new InvalidCallException(
                    $"--layers {layers} and --hidden {string.Join(',', sizes)} contradict each other; give one size, or {layers}.");
            if (sizes.Length <= 1) sizes = [.. Enumerable.Repeat(sizes.Length == 0 ? Recipe?.Hidden[0] ?? 128 : sizes[0], layers)];
        }

        Architecture architecture = new()
        {
            Cell = (Cell ?? Recipe?.Cell) is { } cell ? EnumNames.Parse<Cell>(cell, "--cell") : DataFormat.Find(Data)?.Cell ?? GpuSpectralRnn.Networks.Cell.Irnn,
            Inputs = 1,
            Hidden = sizes.Length == 0 ? [128] : sizes,
            IsBidirectional = Bidirectional,
            Outputs = 1,
            Readout = Readout is null ? DataFormat.Find(Data)?.Readout ?? GpuSpectralRnn.Networks.Readout.Last
                : EnumNames.Parse<Readout>(Readout, "--readout"),
        };
        architecture.Validate();
        return architecture;
    }

    /// <summary>The architecture with the extents of the data.</summary>
    protected Architecture Complete(Architecture asked, ISequenceData data, DataSource source)
    {
        SequenceLayout layout = data.Layout;
        if (layout.Target == TargetKind.None) throw new InvalidCallException($"{data.Name} has no targets to learn; give labels or values.");
        Architecture complete = asked with
        {
            Inputs = layout.Features,
            Outputs = layout.Outputs,
            Task = layout.Target == TargetKind.Value ? TaskKind.Regression : TaskKind.Classification,
            Readout = Readout is null && layout.Target == TargetKind.LabelPerStep ? GpuSpectralRnn.Networks.Readout.Every : asked.Readout,
        };
        if (source.Vocabulary is { } vocabulary)
        {
            complete = complete with
            {
                Inputs = Embedding ?? (TieWeights ? asked.LayerOutputs(asked.Layers - 1) : asked.Hidden[0]),
                Vocabulary = vocabulary.Count,
                TiesWeights = TieWeights,
            };
        }

        complete = Describe(complete, source);
        complete.Validate();
        return complete;
    }

    /// <summary>A network as the options describe it.</summary>
    protected Network Create(Architecture architecture, IBackend backend, ulong seed) =>
        Network.Create(architecture, backend, seed, InitialRange ?? Recipe?.InitialRange);

    /// <summary>The architecture with the data that it is trained on.</summary>
    protected Architecture Describe(Architecture architecture, DataSource source) =>
        architecture with
        {
            View = source.View?.Name(),
            Data = new Dictionary<string, string>(source.Notes) { ["name"] = Data },
            Tokens = source.Vocabulary?.Tokens,
            Unit = source.Vocabulary?.Unit,
        };

    /// <summary>The training settings, checked before any file is opened; the rate is set when the data are known.</summary>
    protected TrainingSettings CheckedTrainingOptions()
    {
        OptimizerKind optimizer = EnumNames.Parse<OptimizerKind>(Optimizer, "--optimizer");
        CheckPositive("--epochs", Epochs);
        if (Rate is { } rate) CheckNumber("--lr", rate, isZeroFine: false);
        if (Clip is { } clip) CheckNumber("--clip", clip, isZeroFine: true);
        CheckNumber("--weight-decay", WeightDecay, isZeroFine: true);
        if (DropoutShare is { } dropout && !(dropout >= 0 && dropout < 1))
            throw new InvalidCallException($"--dropout {dropout}: choose a share from 0 to below 1.");
        return new TrainingSettings
        {
            Epochs = Epochs,
            BatchSize = Batch,
            Optimizer = optimizer,
            Schedule = CheckedSchedule(),
            Clip = Clip ?? Recipe?.Clip(Window) ?? 1,
            WeightDecay = WeightDecay,
            Dropout = DropoutShare ?? Recipe?.Dropout ?? 0,
            Seed = Seed,
        };
    }

    private Schedule CheckedSchedule()
    {
        ScheduleKind kind = EnumNames.Parse<ScheduleKind>(ScheduleName ?? DefaultSchedule, "--schedule");
        bool falls = kind is ScheduleKind.Step or ScheduleKind.Decay or ScheduleKind.Anneal;
        if (Gamma is not null && !falls)
            throw new InvalidCallException($"--gamma belongs to the schedules step, decay and anneal, not to {kind.Name()}.");
        if (HeldEpochs is not null && kind != ScheduleKind.Decay)
            throw new InvalidCallException($"--hold-epochs belongs to the schedule decay, not to {kind.Name()}.");
        double gamma = Gamma ?? kind switch
        {
            ScheduleKind.Decay => 1 / (Recipe?.Divisor ?? 2),
            ScheduleKind.Anneal => 0.25,
            _ => 0.1,
        };
        Schedule schedule = new() { Kind = kind, Gamma = gamma, HeldEpochs = kind == ScheduleKind.Decay ? HeldEpochs ?? Recipe?.HeldEpochs ?? 4 : 0 };
        schedule.Validate();
        return schedule;
    }

    /// <summary>The settings with the given rate, or a default for the data.</summary>
    protected TrainingSettings WithRate(TrainingSettings settings, SequenceLayout layout)
    {
        bool isRecipes = Recipe is not null && OptimizerName is null;
        return settings with { LearningRate = Rate ?? (isRecipes ? Recipe!.Rate(Window) : DefaultRate(settings.Optimizer, layout.Steps)) };
    }

    /// <summary>
    /// Default rate. A change of the recurrent weights acts once per step, so the rate falls with the length of the sequences; 0.003 suits 28 steps.
    /// </summary>
    internal static double DefaultRate(OptimizerKind optimizer, int steps) => optimizer switch
    {
        OptimizerKind.Sgd => 0.1,
        OptimizerKind.Momentum => 0.01,
        _ => 0.003 * Math.Min(1, 28.0 / steps),
    };
}
