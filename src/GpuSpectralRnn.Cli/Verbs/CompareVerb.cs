using GpuSpectralRnn.Interchange;
using System.Text;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
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
internal sealed class CompareVerb : TrainingVerb, IFineTuningOptions
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
            Measured = (run, _) => progress.Measured(run),
            Stepped = progress.Stepped,
        };
        comparison.Check(recipe);
        progress.RunsPerNetwork = comparison.RunsPerNetwork;
        using Interruption interruption = new();
        try
        {
            for (int i = 0; i < count; i++)
            {
                ulong seed = Seed + (ulong)i;
                using Network network = models.Length > 0
                    ? ModelFile.Load(models[i], backend)
                    : Train(terminal, recipe, data, training with { Seed = seed }, backend, interruption.Token);
                comparison.Add(new Calibration(network, data.Train, new CalibrationSettings { Seed = seed }, interruption.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or RunFailedException && comparison.Runs.Count > 0)
        {
            Report(terminal, comparison, count, test, backend);
            int all = count * comparison.RunsPerNetwork;
            string reason = e is RunFailedException ? e.Message : "The rest is missing; repeat the call to have it.";
            throw new RunFailedException($"Stopped after {comparison.Runs.Count} of {all} networks. {reason}", e);
        }

        Report(terminal, comparison, count, test, backend);
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
                "--init-range and --seeds out.");
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
