using GpuSpectralRnn.Interchange;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("demo", HelpText = "The main job on the built-in digits: train a network, look at its spectrum, prune it to a third by every method, report.")]
internal sealed class DemoVerb : ComputeVerb
{
    private const int HiddenUnits = 128;
    private const int BatchSize = 64;
    private const double LearningRate = 0.003;

    /// <summary>Fraction of the training set for calibration, small to keep the demo short.</summary>
    private const double CalibrationShare = 0.5;

    /// <summary>The method whose model the demo saves.</summary>
    private const string Chosen = MethodSpec.Auto;

    /// <summary>Sizes of the curves, beside a third; nothing is trained after pruning there.</summary>
    private static readonly KeepSize[] CurveSizes = [64, 24];

    [Option("out", Default = "gsrnn-demo", MetaValue = "DIR", HelpText = "Folder for what the demo makes.")]
    public string Out { get; set; } = "gsrnn-demo";

    [Option("epochs", Default = 10, MetaValue = "N", HelpText = "Passes over the digits.")]
    public int Epochs { get; set; } = 10;

    [Option("digits", Default = 8000, MetaValue = "N", HelpText = "Digits to train on; a quarter as many more are for testing.")]
    public int DigitCount { get; set; } = 8000;

    public override string Usage => "[--out DIR] [--device D]";

    public override string Example => "gsrnn demo --out gsrnn-demo";

    public override void Run(Terminal terminal)
    {
        if (Epochs < 1) throw new InvalidCallException($"--epochs {Epochs}: choose 1 or more.");
        if (DigitCount < 100) throw new InvalidCallException($"--digits {DigitCount}: choose 100 or more.");
        OutputPath.CreateFolder(Out);
        Stopwatch clock = Stopwatch.StartNew();
        using IBackend backend = OpenBackend();
        using Interruption interruption = new();
        terminal.Note($"drawing {DigitCount:N0} digits to train on and {DigitCount / 4:N0} to test on");
        ISequenceData train = Digits.Create(DigitCount, Seed, ImageView.Row, DataPart.Train);
        ISequenceData test = Digits.Create(DigitCount / 4, Seed, ImageView.Row, DataPart.Test);
        Schedule schedule = new() { Kind = ScheduleKind.OneCycle };
        TrainingSettings training = new() { Epochs = Epochs, BatchSize = BatchSize, LearningRate = LearningRate, Schedule = schedule, Seed = Seed };
        using Network network = Network.Create(Describe(train), backend, Seed);
        TrainingResult result = Train(terminal, network, train, test, training, interruption.Token);
        ModelFile.Save(BigPath, network);
        Compare(terminal, network, result, train, test, training, clock, interruption.Token);
    }

    private string BigPath => Path.Combine(Out, "digits.safetensors");

    private string SmallPath => Path.Combine(Out, "digits-small.safetensors");

    private string PagePath => Path.Combine(Out, "report.html");

    private int FineTuningEpochs => Math.Max(1, Epochs / 3);

    private string ChartPath => Path.Combine(Out, "chart.svg");

    private static int Third => (int)Math.Round(HiddenUnits / 3.0);

    private static Architecture Describe(ISequenceData data) => new()
    {
        Cell = Cell.Irnn,
        Inputs = data.Layout.Features,
        Hidden = [HiddenUnits],
        Outputs = data.Layout.Outputs,
        View = ImageView.Row.Name(),
        Data = new Dictionary<string, string> { ["name"] = "digits" },
    };

    private static TrainingResult Train(
        Terminal terminal, Network network, ISequenceData train, ISequenceData test, TrainingSettings settings, CancellationToken cancellation)
    {
        ITrainingProgress progress = ITrainingProgress.For(terminal, train.Layout);
        using Trainer trainer = new(network, train, test, settings) { Stepped = progress.Step, EpochFinished = progress.Epoch };
        TrainingResult result = progress.Show(() => trainer.Run(cancellation));
        if (result.IsCancelled) throw new RunFailedException($"Stopped after {result.Epochs} of {settings.Epochs} epochs; nothing was kept.");
        return result;
    }

    private void Compare(
        Terminal terminal,
        Network network,
        TrainingResult result,
        ISequenceData train,
        ISequenceData test,
        TrainingSettings training,
        Stopwatch clock,
        CancellationToken cancellation)
    {
        CalibrationSettings sample = new() { Sequences = (int)(CalibrationShare * DigitCount), Seed = Seed };
        Calibration calibration = new(network, train, sample, cancellation);
        ComparisonSettings settings = new()
        {
            Keep = [Third],
            Training = training,
            FineTuning = training with { Epochs = FineTuningEpochs },
            BatchSize = BatchSize,
        };
        ComparisonSettings untrained = settings with
        {
            Methods = [.. MethodSpec.All.Where(method => !method.IsRefined && method.Train is null)],
            Keep = CurveSizes,
            FineTuning = null,
        };
        ComparisonProgress progress = new(terminal, networks: 1, train.Layout);
        Comparison comparison = new(settings, train, test)
        {
            Measured = (run, made) =>
            {
                progress.Measured(run);
                if (run.Method == Chosen) ModelFile.Save(SmallPath, made);
            },
            Stepped = progress.Stepped,
        };
        Comparison curve = new(untrained, train, test) { Measured = (run, _) => progress.Measured(run) };
        progress.RunsPerNetwork = comparison.RunsPerNetwork + curve.RunsPerNetwork;
        Spectrum? spectrum = null;
        try
        {
            spectrum = Spectrum.Compute(calibration.Gram(0));
            comparison.Add(calibration);
            curve.Add(calibration);
        }
        catch (OperationCanceledException e)
        {
            if (comparison.Runs.Count > 0) Report(terminal, network, result, spectrum!, comparison, curve, clock.Elapsed, isComplete: false);
            int all = progress.RunsPerNetwork, done = comparison.Runs.Count + curve.Runs.Count;
            throw new RunFailedException(
                $"Stopped after {done} of {all} networks; {BigPath} holds the trained one. Repeat the call to have the rest.", e);
        }

        Report(terminal, network, result, spectrum, comparison, curve, clock.Elapsed, isComplete: true);
    }

    private void Report(
        Terminal terminal,
        Network network,
        TrainingResult result,
        Spectrum spectrum,
        Comparison comparison,
        Comparison curve,
        TimeSpan time,
        bool isComplete)
    {
        ComparisonReport report = new(comparison.Rows);
        ComparisonReport curves = new(Curve(comparison, curve));
        Page(network, spectrum, report, curves).Save(PagePath);
        string svg = curves.BySize().ToSvgFile(title: $"Digits, {HiddenUnits} hidden units pruned to k: error without further training");
        AtomicFile.Write(ChartPath, stream => stream.Write(Encoding.UTF8.GetBytes(svg)));
        ComparisonRow? chosen = comparison.Rows.FirstOrDefault(row => row.Method == Chosen);
        double ridge = 1e-4 * spectrum.Trace / spectrum.Units;
        double parity = comparison.Runs.Max(run => run.Parity?.Difference ?? 0);
        Evaluation held = result.Validation!;
        if (report.Answer(Chosen) is { } answer) terminal.Result($"{answer}\n");
        terminal.Result(report.ToTable(isBrief: true).ToText());
        List<(string Name, string Value)> lines =
        [
            ("network", $"{network}, {network.Architecture.ParameterCount:N0} parameters, " +
                $"accuracy {held.Value:0.0%} of {held.Rows:N0} digits never seen"),
            ("spectrum", $"{spectrum.UnitsForTrace(0.99)} of {spectrum.Units} directions hold 99 % of the states' power; " +
                $"{spectrum.DegreesOfFreedom(ridge):0.0} degrees of freedom at 1e-4 of the mean"),
            ("parity", $"largest difference of sliced and masked network, over all methods: {parity:0.0e+00}"),
            ("models", chosen is null ? BigPath : $"{BigPath}, {SmallPath}"),
            ("report", PagePath),
            ("chart", ChartPath),
            ("time", $"{time.TotalSeconds:0} s"),
        ];
        if (chosen is not null)
        {
            lines.Insert(2, ("pruned", $"{string.Join(",", chosen.Units)} units, {chosen.Graph.ParameterCount:N0} parameters, " +
                $"accuracy {chosen.Value.Mean:0.0%}, fine-tuned {chosen.FineTuned!.Mean:0.0%}"));
        }

        foreach ((string name, string value) in lines) terminal.Result($"{name,-10} {value}");
        terminal.Result(new JsonObject
        {
            ["metric"] = new JsonObject { ["name"] = held.Metric, ["value"] = Terminal.Number(held.Value) },
            ["loss"] = Terminal.Number(held.Loss),
            ["epochs"] = result.Epochs,
            ["seconds"] = Terminal.Number(time.TotalSeconds),
            ["sequencesPerSecond"] = Terminal.Number((double)DigitCount * result.Epochs / result.Seconds),
            ["parameters"] = network.Architecture.ParameterCount,
            ["parity"] = Terminal.Number(parity),
            ["rows"] = report.ToTable(isBrief: false).ToJson(),
            ["curve"] = curves.ToTable(isBrief: false).ToJson(),
            ["isComplete"] = isComplete,
            ["device"] = network.Backend.Device.Id,
            ["model"] = BigPath,
            ["small"] = chosen is null ? null : SmallPath,
            ["report"] = PagePath,
            ["chart"] = ChartPath,
        });
    }

    // The rows without what was trained on the labels after pruning, at all sizes.
    private static IReadOnlyList<ComparisonRow> Curve(Comparison comparison, Comparison others) =>
    [
        .. comparison.Rows.Select(row => new ComparisonRow([.. row.Runs.Select(run => run with { FineTuned = null })])),
        .. others.Rows.Where(row => row.Keep is not null),
    ];

    private ReportPage Page(Network network, Spectrum spectrum, ComparisonReport report, ComparisonReport curves)
    {
        DeviceInfo device = network.Backend.Device;
        ReportPage page = new($"Built-in digits: {HiddenUnits} hidden units to {Third}")
        {
            Command = Call,
            Device = $"{device.Id} ({device.Name})",
        };
        if (report.Answer(Chosen) is { } answer)
            page.AddAnswer(answer, [.. report.Findings(Chosen), ("next", $"gsrnn predict {SmallPath} --data digits --out answers.npy")]);
        page.AddText(
            $"An {network.Architecture.Cell.Name().ToUpperInvariant()} of {HiddenUnits} units was trained for {Epochs} epochs on {DigitCount:N0} " +
            $"procedural digits, pruned by every method, and measured on {DigitCount / 4:N0} others before and after " +
            $"{FineTuningEpochs} epochs of fine-tuning.");
        report.AddTo(page);
        page.AddHeading("At all sizes, without training after pruning");
        curves.AddCurves(page);
        LineChart eigenvalues = new(
            "Eigenvalues of the hidden states' second moments", new Axis("number"), new Axis("eigenvalue", IsLogarithmic: true));
        eigenvalues.Add(new Series("eigenvalues", spectrum.Eigenvalues.Select((value, i) => (i + 1.0, value))));
        LineChart freedom = new("Degrees of freedom N(λ)", new Axis("λ over the mean eigenvalue", IsLogarithmic: true), new Axis("N(λ)"));
        double mean = spectrum.Trace / spectrum.Units;
        IEnumerable<double> places = Enumerable.Range(-24, 37).Select(i => Math.Pow(10, i / 4.0));
        freedom.Add(new Series("N(λ)", places.Select(x => (x, spectrum.DegreesOfFreedom(x * mean)))));
        page.AddHeading("Spectrum").Add(eigenvalues).Add(freedom);
        return page.AddHeading("The methods").Add(report.Legend());
    }
}
