using GpuSpectralRnn.Interchange;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("spectrum", HelpText =
    "How many units a model needs: eigenvalues, degrees of freedom, leverage, losses against k; needs no labels (--split: default train).")]
internal sealed class SpectrumVerb : ModelVerb, IRidgeOption, IGroupOptions
{
    private const string KneeRule = "The knee: the size whose divergence lies farthest below the line from the smallest size to the whole network.";

    /// <summary>Number of sequences for gradients, the same as of prune.</summary>
    private const int GradientSequences = 2000;

    [Option("data", MetaValue = "NAME", HelpText = nameof(HelpTexts.DataOfModel), ResourceType = typeof(HelpTexts))]
    public override string Data { get; set; } = "";

    public double? Ridge { get; set; }

    public string? Mpi { get; set; }

    [Option("no-adjoint", HelpText = "Leave out the adjoint-weighted loss, which needs gradients.")]
    public bool NoAdjoint { get; set; }

    [Option("report", MetaValue = "FILE.html", HelpText = "Write a page with charts and tables.")]
    [WritesFile]
    public string? ReportPath { get; set; }

    [Option("save-covariance", MetaValue = "F", HelpText = "Keep the sums, to add them to others later; Ctrl-C writes what there is by then.")]
    [WritesFile]
    public string? SavePath { get; set; }

    [Option("load-covariance", MetaValue = "F...", HelpText = "Add sums of other parts of the data, collected with the same model.")]
    [ReadsFile]
    public IEnumerable<string> LoadPaths { get; set; } = [];

    public override string Usage => $"MODEL [{DataUsage}] [--report FILE.html] [--save-covariance F] [--load-covariance F...]";

    public override string Example => "gsrnn spectrum digits.safetensors --data digits --report spectrum.html";

    public override void Run(Terminal terminal)
    {
        CheckRidge(this);
        if (Data.Length == 0 && !LoadPaths.Any())
            throw new InvalidCallException("spectrum needs --data, or --load-covariance F... of data that went before; see 'gsrnn spectrum --help'.");
        using IBackend backend = OpenBackend();
        using Interruption interruption = new();
        (Network network, string source, ISequenceData? data) = OpenWhatThereIs(backend, terminal);
        using Network owned = network;
        SecondMoments[] sums = LoadShards(network);
        AdjointStatistics[]? adjoints = null;
        if (data is not null)
        {
            Collect(terminal, network, data, sums, interruption.Token);
            if (!NoAdjoint) adjoints = CollectAdjoint(terminal, network, data, interruption.Token);
        }
        else if (SavePath is not null && Group.Rank == 0)
        {
            SecondMomentsFile.Save(SavePath, sums);
        }

        if (Group.Rank > 0)
        {
            // Statistics are collected together, everything else is the first one's.
            if (adjoints is not null) Calibrate(terminal, network, data!, interruption.Token)?.Serve();
            return;
        }

        NetworkWeights weights = NetworkWeights.Read(network);
        terminal.Note($"losses against k of {sums.Length} layer{(sums.Length == 1 ? "" : "s")}");
        LayerAnalysis[] layers =
        [
            .. network.CountedAxes.Zip(sums, (counted, covariance) => LayerAnalysis.Compute(
                covariance,
                weights.Consumers(counted.Index),
                adjoints?[counted.Index].Matrix,
                Ridge ?? GpuSpectralRnn.Spectral.Ridge.Default(network.Graph, counted.Axis),
                Seed + (ulong)counted.Index)),
        ];
        SizeCurve? curve = adjoints is null || data is null ? null : MeasureSizes(terminal, network, data, interruption.Token);
        if (ReportPath is not null) WritePage(network, source, layers, curve);
        Print(terminal, backend, data, layers, curve);
    }

    /// <summary>The divergence against the size; null, with a message, where there are too few data or no units to drop.</summary>
    private SizeCurve? MeasureSizes(Terminal terminal, Network network, ISequenceData data, CancellationToken cancellation)
    {
        if (Calibrate(terminal, network, data, cancellation) is not { } calibration) return null;
        try
        {
            terminal.Note(
                $"pruning to eighths of the units: {calibration.Inputs.Count:N0} sequences for statistics, {calibration.Held.Count:N0} to find the "
                + $"knee, {calibration.Judged.Count:N0} to judge by");
            return SizeCurve.Measure(calibration);
        }
        catch (Exception e) when (e is RunFailedException or InvalidCallException)
        {
            terminal.Note($"no recommendation: {ParameterOptions.Spell(e.Message)}");
            return null;
        }
        finally
        {
            calibration.Release();
        }
    }

    private Calibration? Calibrate(Terminal terminal, Network network, ISequenceData data, CancellationToken cancellation)
    {
        try
        {
            return new Calibration(network, data, new CalibrationSettings { Seed = Seed, BatchSize = Batch }, cancellation) { Replicas = Group };
        }
        catch (Exception e) when (e is RunFailedException or InvalidCallException)
        {
            terminal.Note($"no recommendation: {ParameterOptions.Spell(e.Message)}");
            return null;
        }
    }

    /// <summary>The model, the data unless everything is loaded, and a description of the sums' source.</summary>
    private (Network Network, string Source, ISequenceData? Data) OpenWhatThereIs(IBackend backend, Terminal terminal)
    {
        int parts = LoadPaths.Count();
        string loaded = $"{parts} part{(parts == 1 ? "" : "s")} that {(parts == 1 ? "was" : "were")} loaded";
        if (Data.Length == 0) return (ModelFile.Load(ModelPath, backend), loaded, null);
        Split ??= "train";
        (Network network, string split, ISequenceData data) = Open(backend, terminal);
        return (network, $"{data.Count:N0} sequences of {data.Name}, split {split}{(parts > 0 ? $", and {loaded}" : "")}", data);
    }

    /// <summary>The sums of the given files, layer by layer; zeros where there are none. Sums of another model are refused before the work.</summary>
    private SecondMoments[] LoadShards(Network network)
    {
        string fingerprint = StatisticsCollector.Fingerprint(network);
        SecondMoments[] sums = [.. network.CountedAxes.Select(counted => counted.Axis)
            .Select(axis => new SecondMoments(fingerprint, axis.Name, new Matrix(axis.Units, axis.Units), 0, new double[axis.Units]))];
        if (LoadPaths.GroupBy(Path.GetFullPath).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new InvalidCallException($"--load-covariance {twice.First()} is given twice; its steps would count twice.");
        foreach (string path in LoadPaths)
        {
            IReadOnlyList<SecondMoments> shard = SecondMomentsFile.Load(path);
            if (shard.Count != sums.Length && shard.All(layer => layer.Fingerprint == fingerprint))
                throw new BrokenFileException(path, $"holds {shard.Count} layers, the model has {sums.Length}.");
            try
            {
                foreach (SecondMoments layer in shard) (Array.Find(sums, sum => sum.Layer == layer.Layer) ?? sums[0]).Add(layer);
            }
            catch (InvalidCallException e)
            {
                throw new InvalidCallException($"--load-covariance {path}: {e.Message}", e);
            }
        }

        return sums;
    }

    private void Collect(Terminal terminal, Network network, ISequenceData data, SecondMoments[] sums, CancellationToken cancellation)
    {
        terminal.Note($"second moments of {data.Count:N0} sequences of {data.Name}");
        Action<int> counter = Counter(terminal, data.Count);
        int done = 0;
        StatisticsCollector collector = new(network, data, Batch) { Replicas = Group, Progress = count => counter(done = count) };
        StateStatistics[] states = collector.CollectStates(cancellation: cancellation);
        foreach ((SecondMoments sum, (int index, _)) in sums.Zip(network.CountedAxes)) sum.Add(states[index].SecondMoments);
        if (SavePath is not null && sums[0].Weight > 0 && Group.Rank == 0) SecondMomentsFile.Save(SavePath, sums);
        if (done == data.Count) return;
        string kept = SavePath is null ? "nothing was kept; --save-covariance F would have kept their covariance"
            : sums[0].Weight > 0 ? $"their covariance is in {SavePath}{(LoadPaths.Any() ? ", with what was loaded" : "")}"
            : "there was nothing to keep";
        throw new RunFailedException($"Stopped after {done:N0} of {data.Count:N0} sequences; {kept}.");
    }

    /// <summary>G of every layer; null, with a message, where the gradients explode.</summary>
    private AdjointStatistics[]? CollectAdjoint(Terminal terminal, Network network, ISequenceData data, CancellationToken cancellation)
    {
        ISequenceData some = Subset.Limit(data, GradientSequences);
        terminal.Note($"gradients of {some.Count:N0} sequences");
        try
        {
            return new StatisticsCollector(network, some, Batch) { Replicas = Group, Progress = Counter(terminal, some.Count) }
                .CollectAdjoint(AdjointMetric.Identity, seed: Seed, cancellation: cancellation);
        }
        catch (RunFailedException e)
        {
            terminal.Note($"no adjoint-weighted loss: {e.Message}");
            return null;
        }
    }

    private void WritePage(Network network, string source, LayerAnalysis[] layers, SizeCurve? curve)
    {
        DeviceInfo device = network.Backend.Device;
        ReportPage page = new($"Spectrum of {Path.GetFileName(ModelPath)}") { Command = Call, Device = $"{device.Id}: {device.Name}" };
        SpectrumReport report = new(layers);
        string size = curve?.Recommended.Size ?? $"{layers.Max(layer => layer.Spectrum.UnitsForTrace(0.99))}";
        string next = CommandText.From(["prune", ModelPath, .. DataWords, "--keep", size, "--out", "small.safetensors"]);
        page.AddAnswer(report.Answer(), ("next", next));
        page.AddText($"{network}, {network.Graph.ParameterCount:N0} parameters, on {source}.");
        report.AddTo(page);
        if (curve is not null) page.AddHeading("Recommendation").Add(SpectrumReport.Sizes(curve)).AddText($"{curve}. {KneeRule}");
        page.Save(ReportPath!);
    }

    private void Print(Terminal terminal, IBackend backend, ISequenceData? data, LayerAnalysis[] layers, SizeCurve? curve)
    {
        SpectrumReport report = new(layers);
        terminal.Result($"{report.Answer()}\n");
        terminal.Result(report.Summary().ToText());
        foreach (LayerAnalysis layer in layers)
        {
            string best = layer.Curves.Any(curve => curve.Loss == "adjoint") ? "adjoint" : "output";
            Table losses = SpectrumReport.Losses(layer, best);
            if (layer.DeadUnits == layer.Units) terminal.Result($"layer {layer.Name} is dead: every hidden state is zero on these data\n");
            terminal.Result($"layer {layer.Name}, {losses.Title}\n{losses.ToText()}");
        }

        if (curve is not null)
        {
            Table sizes = SpectrumReport.Sizes(curve);
            terminal.Result($"{sizes.Title}\n{sizes.ToText()}{KneeRule}\n{curve}");
        }

        if (ReportPath is not null) terminal.Result($"report: {ReportPath}");
        if (SavePath is not null) terminal.Result($"covariance: {SavePath}");
        terminal.Result(new JsonObject
        {
            ["layers"] = new JsonArray([.. layers.Select(Describe)]),
            ["sizes"] = curve is null ? null : SpectrumReport.Sizes(curve).ToJson(),
            ["recommendation"] = curve is null
                ? null
                : new JsonObject
                {
                    ["keep"] = Terminal.Numbers(curve.Recommended.Keep),
                    ["divergence"] = Terminal.Number(curve.Recommended.Judged.Divergence),
                    ["multiplyAddsBefore"] = curve.Points[^1].MultiplyAdds,
                    ["multiplyAdds"] = curve.Recommended.MultiplyAdds,
                },
            ["sequences"] = data?.Count,
            ["split"] = data is null ? null : Split,
            ["report"] = ReportPath,
            ["covariance"] = SavePath,
            ["device"] = backend.Device.Id,
        });
    }

    private JsonObject Describe(LayerAnalysis layer) => new()
    {
        ["name"] = layer.Name,
        ["hidden"] = layer.Units,
        ["steps"] = (long)layer.Steps,
        ["eigenvalues"] = Numbers(layer.Spectrum.Eigenvalues),
        ["trace"] = Terminal.Number(layer.Spectrum.Trace),
        ["degreesOfFreedom"] = new JsonArray([.. layer.DegreesOfFreedom.Select(point =>
            new JsonObject { ["lambda"] = Terminal.Number(point.Lambda), ["value"] = Terminal.Number(point.Value) })]),
        ["leverage"] = Numbers(layer.Leverage),
        ["leverageLambda"] = Terminal.Number(layer.LeverageLambda),
        ["deadUnits"] = layer.DeadUnits,
        ["ridge"] = layer.Ridge,
        ["losses"] = new JsonArray([.. layer.Curves.Select(curve =>
            new JsonObject { ["loss"] = curve.Loss, ["selector"] = curve.Selector, ["byKept"] = Numbers(curve.ByKept) })]),
    };

    private static JsonArray Numbers(IEnumerable<double> values) => new([.. values.Select(Terminal.Number)]);
}
