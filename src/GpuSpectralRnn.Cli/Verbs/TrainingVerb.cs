using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Interchange;
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
        HelpText = "irnn (default), rnn-tanh, rnn-relu, lstm (default for text, speech, csv, reading, squad), gru, gru-reset-before or lstm-peephole.")]
    public string? Cell { get; set; }

    [Option("hidden", Separator = ',', MetaValue = "H[,H...]",
        HelpText = "Hidden units of each layer (default 128; reading 48, squad 100: of every recurrence of the reader).")]
    public IEnumerable<int> Hidden { get; set; } = [];

    [Option("layers", MetaValue = "L",
        HelpText = "Layers, all of the one size that --hidden gives (default 1); reading, squad: modelling layers (default 2).")]
    public int? Layers { get; set; }

    [Option("bidirectional", HelpText = "Give every layer a second direction, from the last step to the first.")]
    public bool Bidirectional { get; set; }

    [Option("readout", MetaValue = "R",
        HelpText = "What the answer is read from: last (the state in which each direction ends), " +
            "last-step (out[:, -1]: of a reverse direction its state after one " +
        "step), mean, or every step (default: last; of speech mean; every where each step has a label).")]
    public string? Readout { get; set; }

    [Option("embedding", MetaValue = "E",
        HelpText = "text, reading, squad: numbers that stand for a token (default: as many as units of the first layer).")]
    public int? Embedding { get; set; }

    [Option("spelling", MetaValue = "N", HelpText =
        "reading, squad: filters over the characters of a word (default: as many as units); 0: read words alone.")]
    public int? Spelling { get; set; }

    [Option("vectors", MetaValue = "F",
        HelpText = "squad: word vectors in GloVe's text form, one word and its --embedding numbers to a line, to begin with.")]
    [ReadsFile]
    public string? Vectors { get; set; }

    [Option("fix-vectors", HelpText = "squad: leave the word vectors as they are given.")]
    public bool FixVectors { get; set; }

    [Option("average", MetaValue = "D", HelpText =
        "Judge and keep the moving average of the weights with this decay, for example 0.999 (default: the weights themselves).")]
    public double? Average { get; set; }

    [Option("tie-weights", HelpText = "text: the embedding's weights are the read-out's too; E is then the units of the top layer.")]
    public bool TieWeights { get; set; }

    [Option("init-range", MetaValue = "X",
        HelpText = "Begin with all weights uniform in +-X (default: as PyTorch, by the size of each layer; irnn: the identity).")]
    public double? InitialRange { get; set; }

    [Option("init-chrono", MetaValue = "T", HelpText =
        "lstm, gru: begin with gates that keep what a unit holds for up to T steps; for long sequences, T their length (default: as PyTorch).")]
    public int? InitialChrono { get; set; }

    [Option("dropout", MetaValue = "P", HelpText =
        "Share of what each layer hands to the next that is dropped in training (two layers or more); " +
        "text: of the embedding and before the read-out too (default 0).")]
    public double? DropoutShare { get; set; }

    [Option("epochs", MetaValue = "N", HelpText = "Passes over the training set (default 20).")]
    public int? EpochCount { get; set; }

    [Option("optimizer", MetaValue = "O", HelpText = "sgd, momentum, rmsprop, adam (default), adamw or adadelta.")]
    public string? OptimizerName { get; set; }

    [Option("lr", MetaValue = "X",
        HelpText = "Learning rate at its highest (default: 0.003, less in proportion for sequences of more than 28 steps; " +
            "reading 0.003, squad 0.001; sgd 0.1, momentum 0.01, adadelta 0.5).")]
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
        || Embedding is not null || Spelling is not null || Vectors is not null || FixVectors || TieWeights || InitialRange is not null
        || InitialChrono is not null;

    /// <summary>The schedule where none is given.</summary>
    protected virtual string DefaultSchedule => Recipe is null ? "one-cycle" : "decay";

    private TrainingRecipe? Recipe => RecipeName is null ? null : TrainingRecipe.Find(RecipeName);

    /// <summary>The architecture of the options, without what the data determine; null extents are set by <see cref="Complete"/>.</summary>
    protected Architecture CheckedModelOptions()
    {
        if (InitialRange is { } range) CheckNumber("--init-range", range, isZeroFine: false);
        if (InitialChrono is < 2) throw new InvalidCallException($"--init-chrono {InitialChrono}: choose 2 steps or more.");
        if (Embedding is { } embedding) CheckPositive("--embedding", embedding);
        int usual = DataFormat.Find(Data)?.Hidden ?? 128;
        int[] sizes = Hidden.Any() || Layers is not null || Recipe is null ? [.. Hidden] : Recipe.Hidden;
        if (Layers is { } layers)
        {
            CheckPositive("--layers", layers);
            if (layers > Architecture.MostLayers) throw new InvalidCallException($"--layers {layers}: choose 1 to {Architecture.MostLayers}.");
            if (sizes.Length > 1 && sizes.Length != layers)
                throw new InvalidCallException(
                    $"--layers {layers} and --hidden {string.Join(',', sizes)} contradict each other; give one size, or {layers}.");
            if (sizes.Length <= 1) sizes = [.. Enumerable.Repeat(sizes.Length == 0 ? Recipe?.Hidden[0] ?? usual : sizes[0], layers)];
        }

        Architecture architecture = new()
        {
            Cell = (Cell ?? Recipe?.Cell) is { } cell ? EnumNames.Parse<Cell>(cell, "--cell") : DataFormat.Find(Data)?.Cell ?? GpuSpectralRnn.Networks.Cell.Irnn,
            Inputs = 1,
            Hidden = sizes.Length == 0 ? [usual] : sizes,
            IsBidirectional = Bidirectional,
            Outputs = 1,
            Readout = Readout is null ? DataFormat.Find(Data)?.Readout ?? GpuSpectralRnn.Networks.Readout.Last
                : EnumNames.Parse<Readout>(Readout, "--readout"),
        };
        architecture.Validate();
        return architecture;
    }

    /// <summary>The architecture with the extents of the data.</summary>
    protected Recipe Complete(Architecture asked, ISequenceData data, DataSource source)
    {
        SequenceLayout layout = data.Layout;
        if (layout.Target == TargetKind.None) throw new InvalidCallException($"{data.Name} has no targets to learn; give labels or values.");
        if (source.Words is { } words) return CompleteReader(asked, layout, words);
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

    // The cell and the sizes are the stack's that was asked for; all else is the paper's.
    private BidafRecipe CompleteReader(Architecture asked, SequenceLayout layout, ReadingVocabulary words)
    {
        if (Bidirectional || Readout is not null)
            throw new InvalidCallException(
                $"--data {Data} trains a reader, whose layers have two directions and which scores every word; leave --bidirectional and --readout out.");
        if (asked.Hidden.Distinct().Count() > 1)
            throw new InvalidCallException($"--hidden {string.Join(',', asked.Hidden)}: give one size for all recurrences of a reader.");
        if (Spelling is < 0) throw new InvalidCallException($"--spelling {Spelling}: choose 1 or more filters, or 0 for words alone.");
        if (FixVectors && Vectors is null)
            throw new InvalidCallException("--fix-vectors leaves given vectors as they are; give some with --vectors F.");
        int hidden = asked.Hidden[0];
        ReadingVocabulary known = Spelling == 0 ? new(words.Words, []) : words;
        return BidafRecipe.Create(known, hidden, Embedding ?? hidden, Spelling ?? hidden, cell: asked.Cell, modelLayers: Layers ?? 2) with
        {
            ContextLength = ContextLength ?? ReadingSource.MostWords,
            HasFixedWords = FixVectors,
        };
    }

    /// <summary>A network as the options describe it.</summary>
    protected Network Create(Recipe recipe, IBackend backend, ulong seed)
    {
        Network network = Network.Create(recipe, backend, seed, InitialRange ?? Recipe?.InitialRange);
        try
        {
            if (InitialChrono is { } steps) Initialization.Chrono(network, seed, steps);
            if (Vectors is null) return network;
            int found = WordVectors.Load(Vectors, network);
            if (found == 0)
                throw new InvalidCallException($"--vectors {Vectors} has none of the words of the texts; give vectors of their language.");
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

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
        if (Average is { } average && !(average >= 0 && average < 1))
            throw new InvalidCallException($"--average {average}: choose a decay from 0 to below 1, for example 0.999.");
        return new TrainingSettings
        {
            Epochs = Epochs,
            BatchSize = Batch,
            Optimizer = optimizer,
            Schedule = CheckedSchedule(),
            Clip = Clip ?? Recipe?.Clip(Window) ?? 1,
            WeightDecay = WeightDecay,
            Average = Average ?? 0,
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
        return settings with { LearningRate = Rate ?? (isRecipes ? Recipe!.Rate(Window) : DefaultRate(settings.Optimizer, layout.Steps, Data)) };
    }

    /// <summary>
    /// Default rate. A change of the recurrent weights acts once per step, so the rate falls with the length of the sequences; 0.003 suits 28 steps.
    /// </summary>
    internal static double DefaultRate(OptimizerKind optimizer, int steps, string data) => optimizer switch
    {
        OptimizerKind.Sgd => 0.1,
        OptimizerKind.Momentum => 0.01,
        OptimizerKind.Adadelta => 0.5,
        _ => DataFormat.Find(data)?.Rate ?? 0.003 * Math.Min(1, 28.0 / steps),
    };
}
