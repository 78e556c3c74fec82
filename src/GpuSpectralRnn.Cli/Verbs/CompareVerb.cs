using GpuSpectralRnn.Interchange;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Cli.Groups;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("compare", HelpText = "Compare the pruning methods: train networks, prune them by every method, fine-tune, print the table.")]
internal sealed class CompareVerb : TrainingVerb, IFineTuningOptions, IGroupOptions
{
    [Option("methods", Default = new[] { "all" }, Separator = ',', MetaValue = "all|M[,M...]",
        HelpText = nameof(HelpTexts.Methods), ResourceType = typeof(HelpTexts))]
    public IEnumerable<string> Methods { get; set; } = ["all"];

    [Option("keep", Required = true, Separator = ',', MetaValue = "K[,K...]", HelpText =
        "Sizes to compare at: units that every layer keeps, 64,42, or for each layer its own, 64x32 (weights: K^2 of them; column: K columns; " +
        "low-rank: the rank).")]
    public IEnumerable<string> Keep { get; set; } = [];

    [Option("seeds", MetaValue = "N", HelpText = "Networks to train, by the seeds S, S + 1, ... from --seed S on (default 1).")]
    public int? Seeds { get; set; }

    [Option("model", MetaValue = "MODEL...", HelpText = "Compare on these trained models instead of training some.")]
    [ReadsFile]
    public IEnumerable<string> Models { get; set; } = [];

    [Option("refine", Default = "auto", MetaValue = "auto|STEPS|SECONDSs",
        HelpText = "Rows -refined: how long they are brought closer to the big network's answers, without labels.")]
    public string Refine { get; set; } = "auto";

    [Option("pruning-epochs", MetaValue = "N", HelpText = "l0, iss, gradual: epochs in which the trained network is pruned (default: half of --epochs).")]
    public int? PruningEpochs { get; set; }

    public int FineTune { get; set; }

    public double? FineTuneRate { get; set; }

    public string? Mpi { get; set; }

    [Option("report", MetaValue = "FILE.html", HelpText = "Write a page with the table and charts.")]
    [WritesFile]
    public string? ReportPath { get; set; }

    [Option("markdown", MetaValue = "F", HelpText = "Write the table as Markdown.")]
    [WritesFile]
    public string? MarkdownPath { get; set; }

    [Option("csv", MetaValue = "F", HelpText = "Write the table as comma-separated values.")]
    [WritesFile]
    public string? CsvPath { get; set; }

    public override string Usage =>
        $"{DataUsage} [model and training options] [--methods all|M,M...] --keep K[,K...] [--seeds N] [--fine-tune EPOCHS]";

    public override string Example => "gsrnn compare --data digits --epochs 10 --keep 43 --seeds 3 --fine-tune 5 --report compare.html";

    public override void Run(Terminal terminal)
    {
        TrainingSettings training = CheckedTrainingOptions();
        IReadOnlyList<MethodSpec> methods = MethodSpec.Parse(Methods);
        IEnumerable<KeepSize> keep = CheckedSizes();
        CheckOptions();
        string[] models = [.. Models];
        Recipe? given = models.Length == 0 ? null : ModelFile.LoadRecipe(models[0]);
        Architecture? asked = given is null ? CheckedModelOptions() : null;
        DataSource source = new(this, given, terminal.Note);
        using IBackend backend = OpenBackend();
        DataSplits data = source.OpenAll();
        ISequenceData test = data.Test ?? data.Valid
            ?? throw new InvalidCallException(
                $"{data.Train.Name} has nothing to judge by; set sequences aside with --holdout N, or give test files.");
        Recipe recipe = given ?? Complete(asked!, data.Train, source);
        recipe.CheckFits(data.Train.Layout, data.Train.Name);
        training = WithRate(training, data.Train.Layout);
        if (training.Schedule.Kind == ScheduleKind.Anneal && data.Test is null)
            throw new InvalidCallException("--schedule anneal needs sequences to watch beside those to judge by; give test files too.");
        if (recipe.Build().HasReverse)
        {
            foreach (MethodSpec method in methods.Where(method => method.IsOneWay))
                terminal.Note($"{method.Name} is left out: it is for networks of one direction");
            methods = [.. methods.Where(method => !method.IsOneWay)];
        }

        ComparisonSettings settings = new()
        {
            Methods = methods,
            Keep = [.. keep],
            Refine = RefinementBudget.Parse(Refine),
            Training = training,
            FineTuning = FineTune == 0
                ? null
                : training with { Epochs = FineTune, LearningRate = FineTuneRate ?? training.LearningRate },
            PruningTraining = PruningEpochs is { } epochs ? training with { Epochs = epochs, Schedule = new Schedule() } : null,
            BatchSize = Batch,
        };
        int count = models.Length > 0 ? models.Length : Seeds ?? 1;
        ComparisonProgress progress = new(terminal, count, data.Train.Layout);
        Comparison comparison = new(settings, data.Train, test, data.Valid)
        {
            Replicas = Group,
            Measured = (run, _) => progress.Measured(run),
            Stepped = progress.Stepped,
        };
        comparison.Check(recipe);
        progress.RunsPerNetwork = comparison.RunsPerNetwork;
        using Interruption interruption = new();
        Exception? stopped = null;
        for (int first = 0; first < count && !Group.Any(stopped is not null); first += Group.Size)
        {
            // As many networks at a time as there are processes: each trains one, and what is made of every one is shared out.
            Network[] networks = [];
            int here = Math.Min(Group.Size, count - first);
            try
            {
                networks = models.Length > 0
                    ? [.. models.Skip(first).Take(here).Select(path => ModelFile.Load(path, backend))]
                    : TrainTogether(here, place => Train(
                        terminal, recipe, data, training with { Seed = Seed + (ulong)(first + place) }, backend, interruption.Token));
                for (int i = 0; i < here; i++)
                {
                    CalibrationSettings sample = new() { Seed = Seed + (ulong)(first + i) };
                    comparison.Add(new Calibration(networks[i], data.Train, sample, interruption.Token));
                }
            }
            catch (Exception e) when (e is OperationCanceledException || (e is RunFailedException && Group.Size == 1))
            {
                stopped = e; // what is measured counts
            }
            finally
            {
                foreach (Network network in networks) network.Dispose();
            }
        }

        comparison.Merge();
        int measured = comparison.Runs.Count, all = count * comparison.RunsPerNetwork;
        if (measured == 0 && stopped is not null) ExceptionDispatchInfo.Throw(stopped);
        if (Group.Rank == 0 && measured > 0) Report(terminal, comparison, count, test, backend);
        if (measured == all) return;
        string reason = stopped is RunFailedException ? stopped.Message : "The rest is missing; repeat the call to have it.";
        throw new StoppedException($"Stopped after {measured} of {all} networks. {reason}");
    }

    // A network each, given to all.
    private Network[] TrainTogether(int count, Func<int, Network> train)
    {
        if (Group.Size == 1) return [train(0)];
        Network? own = null;
        OperationCanceledException? stopped = null;
        try
        {
            own = train(Math.Min(Group.Rank, count - 1)); // more processes than networks: the last one is trained by several, to the same bits
        }
        catch (OperationCanceledException e)
        {
            stopped = e;
        }

        if (Group.Any(stopped is not null))
        {
            own?.Dispose();
            throw stopped ?? new OperationCanceledException();
        }

        Network[] networks = new Network[count];
        float[][] weights = [.. Group.Gather<float>(own!.Parameters.Values.ToArray()).Chunk((int)own.Parameters.Values.Count)];
        for (int i = 0; i < count; i++)
        {
            networks[i] = new Network(own.Recipe, own.Backend);
            networks[i].Parameters.Values.CopyFrom<float>(weights[i]);
        }

        own.Dispose();
        return networks;
    }

    // From the largest down.
    private IEnumerable<KeepSize> CheckedSizes() =>
        [.. Keep.Select(text => KeepSize.Parse(text.Trim())).Distinct().OrderByDescending(size => size.Mean)];

    private void CheckOptions()
    {
        CheckDataOptions();
        if (Seeds is { } seeds) CheckPositive("--seeds", seeds);
        RefinementBudget.Parse(Refine);
        if (PruningEpochs is { } epochs) CheckPositive("--pruning-epochs", epochs);
        CheckFineTuning(this);
        if (Models.Any() && (HasModelOptions || Seeds is not null))
            throw new InvalidCallException(
                "--model gives the networks; leave --cell, --hidden, --layers, --bidirectional, --readout, --embedding, --spelling, --vectors, " +
                "--fix-vectors, --tie-weights, " +
                "--init-range, --init-chrono and --seeds out.");
    }

    private Network Train(
        Terminal terminal, Recipe recipe, DataSplits data, TrainingSettings settings, IBackend backend, CancellationToken cancellation)
    {
        Network network = Create(recipe, backend, settings.Seed);
        try
        {
            ITrainingProgress progress = ITrainingProgress.For(terminal, data.Train.Layout);
            using Trainer trainer = new(network, data.Train, data.Valid, settings) { Stepped = progress.Step, EpochFinished = progress.Epoch };
            terminal.Note($"{network}: training with seed {settings.Seed}");
            if (progress.Show(() => trainer.Run(cancellation)).IsCancelled) throw new OperationCanceledException(cancellation);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private void Report(Terminal terminal, Comparison comparison, int seeds, ISequenceData test, IBackend backend)
    {
        IReadOnlyList<ComparisonRow> rows = comparison.Rows;
        ComparisonReport report = new(rows);
        Table table = report.ToTable(isBrief: true);
        if (MarkdownPath is not null) Save(MarkdownPath, table.ToMarkdown());
        if (CsvPath is not null) Save(CsvPath, report.ToTable(isBrief: false).ToCsv());
        if (ReportPath is not null) Page(report, rows, test, backend).Save(ReportPath);
        if (report.Answer() is { } answer) terminal.Result($"{answer}\n");
        terminal.Result(table.ToText().TrimEnd());
        terminal.Result(
            $"measured on {test.Count:N0} sequences of {test.Name}, device {backend.Device.Id}; ms: median of forward passes of {Batch} sequences");
        terminal.Result(new JsonObject
        {
            ["metric"] = rows[0].Metric,
            ["hidden"] = Terminal.Numbers(rows[0].Units),
            ["rows"] = report.ToTable(isBrief: false).ToJson(),
            ["sequences"] = test.Count,
            ["isComplete"] = comparison.Runs.Count == seeds * comparison.RunsPerNetwork,
            ["device"] = backend.Device.Id,
        });
    }

    private static void Save(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    private ReportPage Page(ComparisonReport report, IReadOnlyList<ComparisonRow> rows, ISequenceData test, IBackend backend)
    {
        ReportPage page = new($"Pruning methods on {test.Name}, {rows[0].Runs[0].Recipe.Title}")
        {
            Command = Call,
            Device = $"{backend.Device.Id} ({backend.Device.Name})",
        };
        if (report.Answer() is { } answer)
        {
            string next = CommandText.From(["prune", "MODEL", .. DataWords, "--keep", $"{report.Best()!.Keep}", "--out", "small.safetensors"]);
            page.AddAnswer(answer, [.. report.Findings(), ("next", next)]);
        }

        report.AddTo(page);
        return page.AddHeading("The methods").Add(report.Legend());
    }
}
