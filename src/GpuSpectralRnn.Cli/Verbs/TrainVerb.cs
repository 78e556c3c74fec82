using GpuSpectralRnn.Interchange;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Cli.Groups;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("train", HelpText = "Train a recurrent network.")]
internal sealed partial class TrainVerb : TrainingVerb, IShardOptions
{
    [Option("out", Required = true, MetaValue = "MODEL",
        HelpText = "Where to write the model; MODEL.ckpt beside it keeps the state of the run after every epoch.")]
    [WritesFile(companion: ".ckpt")]
    public string Out { get; set; } = "";

    [Option("resume", HelpText = "Go on from MODEL.ckpt: repeat the interrupted call with this option added (more --epochs are welcome).")]
    public bool Resume { get; set; }

    [Option("init", MetaValue = "MODEL", HelpText = "Start from this model's weights, a pruned one's too; it also gives cell, sizes and read-out.")]
    [ReadsFile]
    public string? Init { get; set; }

    [Option("patience", Default = 0, MetaValue = "N",
        HelpText = "Stop after N epochs without a better result on the held-out sequences (--holdout) and keep the best weights; 0: never.")]
    public int Patience { get; set; }

    [Option("log", MetaValue = "FILE.jsonl", HelpText = "Write one JSON object after every epoch, one to a line; --resume goes on writing.")]
    [WritesFile]
    public string? LogPath { get; set; }

    [Option("report", MetaValue = "FILE.html", HelpText = "Write a page with loss and metric over the epochs, and how far pruning has come.")]
    [WritesFile]
    public string? ReportPath { get; set; }

    public string? Mpi { get; set; }

    public int? Shards { get; set; }

    public bool IsDeterministic { get; set; }

    public override string Usage => $"{DataUsage} [model and training options] [--init MODEL] [--method M] [--resume] --out MODEL";

    public override string Example => "gsrnn train --data digits --cell irnn --hidden 128 --epochs 10 --out digits.safetensors";

    private string CheckpointPath => Out + ".ckpt";

    public override void Run(Terminal terminal)
    {
        if (Patience < 0) throw new InvalidCallException($"--patience {Patience}: choose a number of epochs, or 0 for never.");
        CheckDataOptions();
        TrainingSettings settings = CheckedTrainingOptions() with { Patience = Patience };
        CheckPruningOptions();
        if (Resume && !File.Exists(CheckpointPath))
            throw new InvalidCallException($"--resume: there is no checkpoint {CheckpointPath}; leave the option out to start anew.");
        Recipe? initial = Init is null ? null : ModelFile.LoadRecipe(Init);
        Architecture? asked = initial is null ? CheckedModelOptions() : null;
        DataSource source = new(this, initial, terminal.Note);
        using IBackend backend = OpenBackend();
        DataSplits data = source.OpenAll();
        settings = WithRate(settings, data.Train.Layout);
        if ((Patience > 0 || settings.Schedule.Kind == ScheduleKind.Anneal) && data.Valid is null)
            throw new InvalidCallException(
                $"{(Patience > 0 ? $"--patience {Patience}" : "--schedule anneal")} needs sequences to watch; set some aside with --holdout N.");
        Checkpoint? checkpoint = Resume ? Checkpoint.Load(CheckpointPath) : null;
        ReplicaPlan plan = new(Group, Shards ?? (IsDeterministic ? checkpoint?.Shards ?? Group.Size : null));
        using Network network = Build(asked, data.Train, source, backend);
        using Interruption interruption = new();
        ITrainingProgress progress = ITrainingProgress.For(terminal, data.Train.Layout);
        ISequenceData? watched = data.Valid ?? data.Test;
        using ITrainedPruning? pruning = CreatePruning();
        TrainingLog log = new(plan.IsFirst ? LogPath : null, Resume);
        using Trainer trainer = new(network, data.Train, watched, settings, pruning, plan)
        {
            CheckpointPath = CheckpointPath,
            Stepped = progress.Step,
            EpochFinished = epoch =>
            {
                progress.Epoch(epoch);
                log.Add(epoch);
                KeepUsable(epoch);
            },
            Sliced = sliced => latest = sliced,
        };
        if (backend is not HostBackend) terminal.Timed($"compiling kernels for {backend.Device.Id}", trainer.WarmUp);
        if (checkpoint is not null) trainer.Restore(checkpoint);
        terminal.Note(
            $"{network}: {network.Graph.ParameterCount:N0} parameters; " +
            $"{data.Train.Name}, {data.Train.Count:N0} {(data.Train.Layout.IsStream ? "windows" : "sequences")} " +
            $"of {data.Train.Layout.Steps} steps; " +
            $"{Optimizer}, rate {settings.LearningRate:0.######}, {settings.Schedule.Kind.Name()}"
            + (Group.Size > 1 ? $"; {Group.Size} processes of {Devices.ProcessorThreads} thread{(Devices.ProcessorThreads == 1 ? "" : "s")}" : "")
            + (plan.IsFixed ? $"; {plan.Shards} shards" : ""));
        foreach (string note in source.Remarks) terminal.Note(note);
        if (watched is not null) terminal.Note(DescribeWatched(watched, data));
        if (TargetCheck.Describe(data.Train) is { } odd) terminal.Note($"note: {odd}");
        if (pruning is not null) terminal.Note($"pruned on the way by {pruning.Name}: {pruning.Settings}");
        try
        {
            TrainingResult result = progress.Show(() => trainer.Run(interruption.Token));
            if (result.IsCancelled) throw Interrupted(result);
            if (!plan.IsFirst) return;
            using Network? sliced = pruning?.Finish();
            Pruned? pruned = pruning is null ? null : Prove(network, sliced, pruning, result.Steps, watched ?? data.Train);
            Report(terminal, sliced ?? network, data, source, sliced is null ? result : result with { Validation = null }, pruned, log);
        }
        catch (EverythingPrunedException e)
        {
            throw NothingLeft(e);
        }
        finally
        {
            latest?.Dispose();
            usable?.Dispose();
        }
    }

    private Network Build(Architecture? asked, ISequenceData data, DataSource source, IBackend backend)
    {
        if (asked is null)
        {
            if (HasModelOptions)
                throw new InvalidCallException(
                    "--init gives cell, sizes, directions and read-out; leave --cell, --hidden, --layers, --bidirectional, --readout, --embedding, " +
                    "--spelling, --vectors, --fix-vectors, --tie-weights, --init-range and --init-chrono out.");
            using Network loaded = ModelFile.Load(Init!, backend);
            Network network = new(loaded.Recipe is Architecture stack ? Describe(stack, source) : loaded.Recipe, backend);
            network.Parameters.CopyFrom(loaded.Parameters);
            return network;
        }

        return Create(Complete(asked, data, source), backend, Seed);
    }

    private void Report(
        Terminal terminal, Network network, DataSplits data, DataSource source, TrainingResult result, Pruned? pruned, TrainingLog log)
    {
        (string split, ISequenceData judged) =
            data.Test is not null ? ("test", data.Test) : data.Valid is not null ? ("valid", data.Valid) : ("train", data.Train);
        using Evaluator evaluator = new(network, judged, Batch);
        Evaluation final = (data.Valid ?? data.Test) == judged && result.Validation is { } known ? known : evaluator.Run();
        CheckFinite(final, judged);
        ModelFile.Save(Out, network);
        ForecastErrors? errors = ForecastErrors.Measure(evaluator, judged, source);
        double? explained = Explained(final, judged);
        terminal.Result(
            $"{final}{ExplainedText(explained)}{errors} on {Extent(judged, final.Rows)}, split {split}, " +
            $"after {result.Epochs} epoch{(result.Epochs == 1 ? "" : "s")} in {result.Seconds:0.0} s");
        if (ReportPath is not null) WritePage(network, log.Epochs, final, judged, pruned, errors);
        foreach ((string name, string text) in pruned is null ? [] : Findings(pruned, network)) terminal.Result($"{name}: {text}");
        if (result.RanOutOfPatience) terminal.Result($"stopped early: best was epoch {result.BestEpoch}, whose weights are kept");
        terminal.Result($"model: {Out}");
        terminal.Result(new JsonObject
        {
            ["epochs"] = result.Epochs,
            ["seconds"] = Terminal.Number(result.Seconds),
            ["loss"] = Terminal.Number(final.Loss),
            ["metric"] = new JsonObject { ["name"] = final.Metric, ["value"] = Terminal.Number(final.Value) },
            ["r2"] = explained is { } share ? Terminal.Number(share) : null,
            ["targets"] = errors?.ToJson(),
            ["split"] = split,
            ["model"] = Out,
            ["f1"] = final.F1 is { } f1 ? Terminal.Number(f1) : null,
            ["parameters"] = network.Graph.ParameterCount,
            ["watched"] = data.Valid is not null ? "valid" : data.Test is not null ? "test" : null,
            ["pruning"] = pruned is null ? null : ToJson(pruned, network, log.Epochs),
            ["device"] = network.Backend.Device.Id,
            ["processes"] = Group.Size,
        });
    }

    private void WritePage(
        Network network, IReadOnlyList<EpochReport> epochs, Evaluation final, ISequenceData judged, Pruned? pruned, ForecastErrors? errors)
    {
        DeviceInfo device = network.Backend.Device;
        ReportPage page = new($"Training on {judged.Name}: {network}") { Command = Call, Device = $"{device.Id} ({device.Name})" };
        page.AddAnswer($"{final} on {Extent(judged, final.Rows)}", pruned is null ? [] : [.. Findings(pruned, network)]);
        errors?.AddTo(page);
        new TrainingReport(epochs).AddTo(page);
        page.Save(ReportPath!);
    }

    // A test set that was used to select runs is no test set any more.
    private static string DescribeWatched(ISequenceData watched, DataSplits data) => data.Valid is not null
        ? $"watched after each epoch: {watched.Name}, split valid"
        : $"watched after each epoch: {watched.Name}, split test; nothing is chosen by it (--holdout N watches training sequences instead)";

    private StoppedException Interrupted(TrainingResult result) => new(
        $"Stopped after {result.Epochs} of {Epochs} epochs, at step {result.Steps}; " +
        $"{CheckpointPath} keeps the run: repeat the call with --resume to go on.");
}
