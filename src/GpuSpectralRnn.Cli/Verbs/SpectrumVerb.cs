using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("spectrum", HelpText =
    "How many units a model needs: eigenvalues, degrees of freedom, leverage, losses against k; needs no labels (--split: default train).")]
internal sealed class SpectrumVerb : ModelVerb
{
    /// <summary>Sequences that gradients are taken of, as prune does.</summary>
    private const int GradientSequences = 2000;

    [Option("ridge", Default = 1e-4, MetaValue = "X", HelpText = "Ridge of the reconstruction, as a share of the mean power of a unit.")]
    public double Ridge { get; set; } = 1e-4;

    [Option("no-adjoint", HelpText = "Leave out the adjoint-weighted loss, which needs gradients.")]
    public bool NoAdjoint { get; set; }

    [Option("report", MetaValue = "FILE.html", HelpText = "Write a page with charts and tables.")]
    public string? ReportPath { get; set; }

    [Option("save-covariance", MetaValue = "F", HelpText = "Keep the sums, to add them to others later; Ctrl-C writes what there is by then.")]
    public string? SavePath { get; set; }

    [Option("load-covariance", MetaValue = "F...", HelpText = "Add sums of other parts of the data, collected with the same model.")]
    public IEnumerable<string> LoadPaths { get; set; } = [];

    public override string Usage => $"MODEL {DataUsage} [--report FILE.html] [--save-covariance F] [--load-covariance F...]";

    public override string Example => "gsrnn spectrum digits.safetensors --data digits --report spectrum.html";

    public override void Run(Terminal terminal)
    {
        CheckNumber("--ridge", Ridge, isZeroFine: true);
        if (ReportPath is not null) OutputPath.Check(ReportPath, "--report");
        if (SavePath is not null) OutputPath.Check(SavePath, "--save-covariance");
        using IBackend backend = OpenBackend();
        Split ??= "train";
        (Network network, string split, ISequenceData data) = Open(backend);
        using Network owned = network;
        Covariance[] sums = LoadShards(network);
        using Interruption interruption = new();
        Collect(terminal, network, data, sums, interruption.Token);
        AdjointStatistics[]? adjoints = NoAdjoint ? null : CollectAdjoint(terminal, network, data, interruption.Token);
        NetworkWeights weights = NetworkWeights.Read(network);
        terminal.Note($"losses against k of {sums.Length} layer{(sums.Length == 1 ? "" : "s")}");
        LayerAnalysis[] layers =
            [.. sums.Select((covariance, l) => LayerAnalysis.Of(covariance, weights.Consumers(l), adjoints?[l].Matrix, Ridge, Seed + (ulong)l))];
        if (ReportPath is not null) WritePage(network, data, split, layers);
        Print(terminal, backend, split, data, layers);
    }

    /// <summary>The sums of the given files, layer by layer; zeros where there are none. Another model's are refused before the work.</summary>
    private Covariance[] LoadShards(Network network)
    {
        string fingerprint = StatisticsCollector.Fingerprint(network);
        Covariance[] sums = [.. Enumerable.Range(0, network.Architecture.Recurrences)
            .Select(r => (Name: network.Architecture.RecurrenceName(r), Units: network.Architecture.RecurrenceUnits(r)))
            .Select(r => new Covariance(fingerprint, r.Name, new Matrix(r.Units, r.Units), 0))];
        if (LoadPaths.GroupBy(Path.GetFullPath).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new InvalidCallException($"--load-covariance {twice.First()} is given twice; its steps would count twice.");
        foreach (string path in LoadPaths)
        {
            IReadOnlyList<Covariance> shard = CovarianceFile.Load(path);
            if (shard.Count != sums.Length && shard.All(layer => layer.Fingerprint == fingerprint))
                throw new BrokenFileException(path, $"holds {shard.Count} layers, the model has {sums.Length}.");
            try
            {
                foreach (Covariance layer in shard) (Array.Find(sums, sum => sum.Layer == layer.Layer) ?? sums[0]).Add(layer);
            }
            catch (InvalidCallException e)
            {
                throw new InvalidCallException($"--load-covariance {path}: {e.Message}", e);
            }
        }

        return sums;
    }

    private void Collect(Terminal terminal, Network network, ISequenceData data, Covariance[] sums, CancellationToken cancellation)
    {
        terminal.Note($"second moments of {data.Count:N0} sequences of {data.Name}");
        Action<int> counter = Counter(terminal, data.Count);
        int done = 0;
        StatisticsCollector collector = new(network, data, Batch) { Progress = count => counter(done = count) };
        StateStatistics[] states = collector.CollectStates(cancellation: cancellation);
        for (int l = 0; l < sums.Length; l++) sums[l].Add(states[l].Covariance);
        if (SavePath is not null && sums[0].Weight > 0) CovarianceFile.Save(SavePath, sums);
        if (done == data.Count) return;
        string kept = SavePath is null ? "nothing was kept; --save-covariance F would have kept their covariance"
            : sums[0].Weight > 0 ? $"their covariance is in {SavePath}{(LoadPaths.Any() ? ", with what was loaded" : "")}"
            : "there was nothing to keep";
        throw new RunFailedException($"Stopped after {done:N0} of {data.Count:N0} sequences; {kept}.");
    }

    /// <summary>G of every layer; null, and a word about it, where the gradients explode.</summary>
    private AdjointStatistics[]? CollectAdjoint(Terminal terminal, Network network, ISequenceData data, CancellationToken cancellation)
    {
        ISequenceData some = Subset.Limit(data, GradientSequences);
        terminal.Note($"gradients of {some.Count:N0} sequences");
        try
        {
            return new StatisticsCollector(network, some, Batch) { Progress = Counter(terminal, some.Count) }
                .CollectAdjoint(AdjointMetric.Identity, seed: Seed, cancellation: cancellation);
        }
        catch (RunFailedException e)
        {
            terminal.Note($"no adjoint-weighted loss: {e.Message}");
            return null;
        }
    }

    private void WritePage(Network network, ISequenceData data, string split, LayerAnalysis[] layers)
    {
        DeviceInfo device = network.Backend.Device;
        ReportPage page = new($"Spectrum of {Path.GetFileName(ModelPath)}") { Command = CommandText.Current, Device = $"{device.Id}: {device.Name}" };
        page.AddText(
            $"{network}, {network.Architecture.ParameterCount:N0} parameters, on {data.Count:N0} sequences of {data.Name}, split {split}"
            + (LoadPaths.Any() ? $", and {LoadPaths.Count()} more parts that were loaded." : "."));
        new SpectrumReport(layers).AddTo(page);
        page.Save(ReportPath!);
    }

    private void Print(Terminal terminal, IBackend backend, string split, ISequenceData data, LayerAnalysis[] layers)
    {
        terminal.Result(new SpectrumReport(layers).Summary().ToText());
        foreach (LayerAnalysis layer in layers)
        {
            string best = layer.Curves.Any(curve => curve.Loss == "adjoint") ? "adjoint" : "output";
            Table losses = SpectrumReport.Losses(layer, best);
            if (layer.DeadUnits == layer.Units) terminal.Result($"layer {layer.Name} is dead: every hidden state is zero on these data\n");
            terminal.Result($"layer {layer.Name}, {losses.Title}\n{losses.ToText()}");
        }

        if (ReportPath is not null) terminal.Result($"report: {ReportPath}");
        if (SavePath is not null) terminal.Result($"covariance: {SavePath}");
        terminal.Result(new JsonObject
        {
            ["layers"] = new JsonArray([.. layers.Select(Describe)]),
            ["sequences"] = data.Count,
            ["split"] = split,
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
        ["ridge"] = Ridge,
        ["losses"] = new JsonArray([.. layer.Curves.Select(curve =>
            new JsonObject { ["loss"] = curve.Loss, ["selector"] = curve.Selector, ["byKept"] = Numbers(curve.ByKept) })]),
    };

    private static JsonArray Numbers(IEnumerable<double> values) => new([.. values.Select(Terminal.Number)]);
}
