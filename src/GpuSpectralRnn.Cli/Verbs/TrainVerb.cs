using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("train", HelpText = "Train a recurrent network.")]
internal sealed class TrainVerb : SequenceVerb
{
    [Option("out", Required = true, MetaValue = "MODEL",
        HelpText = "Where to write the model; MODEL.ckpt beside it keeps the state of the run after every epoch.")]
    public string Out { get; set; } = "";

    [Option("resume", HelpText = "Go on from MODEL.ckpt: repeat the interrupted call with this option added (more --epochs are welcome).")]
    public bool Resume { get; set; }

    [Option("init", MetaValue = "MODEL", HelpText = "Start from this model's weights; it also gives cell, sizes and read-out.")]
    public string? Init { get; set; }

    [Option("cell", MetaValue = "C", HelpText = "irnn (default), rnn-tanh or rnn-relu.")]
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

    [Option("patience", Default = 0, MetaValue = "N",
        HelpText = "Stop after N epochs without a better result on the held-out sequences (--holdout) and keep the best weights; 0: never.")]
    public int Patience { get; set; }

    public override string Usage => $"{DataUsage} [model and training options] [--init MODEL] [--resume] --out MODEL";

    public override string Example => "gsrnn train --data digits --cell irnn --hidden 128 --epochs 10 --out digits.safetensors";

    private string CheckpointPath => Out + ".ckpt";

    public override void Run(Terminal terminal)
    {
        TrainingSettings settings = Settings();
        CheckDataOptions();
        OutputPath.Check(Out, "--out");
        if (Resume && !File.Exists(CheckpointPath))
            throw new InvalidCallException($"--resume: there is no checkpoint {CheckpointPath}; leave the option out to start anew.");
        Architecture? initial = Init is null ? null : ModelFile.LoadArchitecture(Init);
        Architecture? asked = initial is null ? CheckedModelOptions() : null;
        DataSource source = new(this, initial);
        using IBackend backend = OpenBackend();
        DataSplits data = source.OpenAll();
        settings = settings with { LearningRate = Rate ?? DefaultRate(settings.Optimizer, data.Train.Layout.Steps) };
        if (Patience > 0 && data.Valid is null)
            throw new InvalidCallException($"--patience {Patience} needs sequences to watch; set some aside with --holdout N.");
        using Network network = Build(asked, data.Train, source.View, backend);
        using Interruption interruption = new();
        ITrainingProgress progress = ITrainingProgress.For(terminal);
        ISequenceData? watched = data.Valid ?? data.Test;
        using Trainer trainer = new(network, data.Train, watched, settings)
        {
            CheckpointPath = CheckpointPath,
            Stepped = progress.Step,
            EpochFinished = progress.Epoch,
        };
        if (Resume) trainer.Restore(Checkpoint.Load(CheckpointPath));
        terminal.Note(
            $"{network}: {network.Architecture.ParameterCount:N0} parameters; " +
            $"{data.Train.Name}, {data.Train.Count:N0} sequences of {data.Train.Layout.Steps} steps; " +
            $"{Optimizer}, rate {settings.LearningRate:0.######}, {ScheduleName}");
        TrainingResult result = progress.Show(() => trainer.Run(interruption.Token));
        if (result.IsCancelled) throw Interrupted(result);
        ModelFile.Save(Out, network);
        Report(terminal, network, data, result);
    }

    /// <summary>The model that the options describe, but for what the data tell; null extents are filled in by <see cref="Build"/>.</summary>
    private Architecture CheckedModelOptions()
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

    private Network Build(Architecture? asked, ISequenceData data, ImageView? view, IBackend backend)
    {
        SequenceLayout layout = data.Layout;
        if (asked is null)
        {
            if (Cell is not null || Hidden.Any() || Layers is not null || Readout is not null)
                throw new InvalidCallException("--init gives cell, sizes and read-out; leave --cell, --hidden, --layers and --readout out.");
            using Network loaded = ModelFile.Load(Init!, backend);
            Network network = new(Describe(loaded.Architecture, view), backend);
            backend.Copy(loaded.Parameters.Values, network.Parameters.Values);
            return network;
        }

        if (layout.Target == TargetKind.None) throw new InvalidCallException($"{data.Name} has no targets to learn; give labels or values.");
        Architecture architecture = asked with
        {
            Inputs = layout.Features,
            Outputs = layout.Outputs,
            Task = layout.Target == TargetKind.Value ? TaskKind.Regression : TaskKind.Classification,
            Readout = Readout is null && layout.Target == TargetKind.LabelPerStep ? GpuSpectralRnn.Models.Readout.Every : asked.Readout,
        };
        return Network.Create(Describe(architecture, view), backend, Seed);
    }

    private Architecture Describe(Architecture architecture, ImageView? view) =>
        architecture with { View = view?.Name(), Data = new Dictionary<string, string> { ["name"] = Data } };

    /// <summary>Checked before any file is opened; the rate follows when the data are known.</summary>
    private TrainingSettings Settings()
    {
        OptimizerKind optimizer = Names.Parse<OptimizerKind>(Optimizer, "optimizer");
        CheckPositive("--epochs", Epochs);
        if (Rate is { } rate) CheckNumber("--lr", rate, isZeroFine: false);
        CheckNumber("--clip", Clip, isZeroFine: true);
        CheckNumber("--weight-decay", WeightDecay, isZeroFine: true);
        if (Patience < 0) throw new InvalidCallException($"--patience {Patience}: choose a number of epochs, or 0 for never.");
        return new TrainingSettings
        {
            Epochs = Epochs,
            BatchSize = Batch,
            Optimizer = optimizer,
            Schedule = new Schedule { Kind = Names.Parse<ScheduleKind>(ScheduleName, "schedule") },
            Clip = Clip,
            WeightDecay = WeightDecay,
            Patience = Patience,
            Seed = Seed,
        };
    }

    // A change of the recurrent weights acts once per step: the longer the sequence, the smaller the change that it bears. 0.003 suits 28 steps.
    private static double DefaultRate(OptimizerKind optimizer, int steps) => optimizer switch
    {
        OptimizerKind.Sgd => 0.1,
        OptimizerKind.Momentum => 0.01,
        _ => 0.003 * Math.Min(1, 28.0 / steps),
    };

    private void Report(Terminal terminal, Network network, DataSplits data, TrainingResult result)
    {
        (string split, ISequenceData judged) =
            data.Test is not null ? ("test", data.Test) : data.Valid is not null ? ("valid", data.Valid) : ("train", data.Train);
        using Evaluator evaluator = new(network, judged, Batch);
        Evaluation final = (data.Valid ?? data.Test) == judged && result.Validation is { } known ? known : evaluator.Run();
        terminal.Result(
            $"{final} on {judged.Count:N0} sequences of {judged.Name}, split {split}, after {result.Epochs} epochs in {result.Seconds:0.0} s");
        if (result.RanOutOfPatience) terminal.Result($"stopped early: best was epoch {result.BestEpoch}, whose weights are kept");
        terminal.Result($"model: {Out}");
        terminal.Result(new JsonObject
        {
            ["epochs"] = result.Epochs,
            ["seconds"] = Terminal.Number(result.Seconds),
            ["loss"] = Terminal.Number(final.Loss),
            ["metric"] = new JsonObject { ["name"] = final.Metric, ["value"] = Terminal.Number(final.Value) },
            ["split"] = split,
            ["model"] = Out,
            ["parameters"] = network.Architecture.ParameterCount,
            ["device"] = network.Backend.Device.Id,
        });
    }

    private RunFailedException Interrupted(TrainingResult result) => new(
        $"Stopped after {result.Epochs} of {Epochs} epochs, at step {result.Steps}; " +
        $"{CheckpointPath} keeps the run: repeat the call with --resume to go on.");
}
