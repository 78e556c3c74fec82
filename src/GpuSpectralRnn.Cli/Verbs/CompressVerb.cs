using System.Diagnostics;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Proof;
using GpuSpectralRnn.Onnx.Reports;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("compress", HelpText =
    "Cut the RNN, LSTM and GRU nodes of any ONNX graph down in their place: same inputs and outputs; needs inputs of the usual kind, no labels.")]
internal sealed class CompressVerb : Verb
{
    [Value(0, MetaName = "FILE.onnx", Required = true, HelpText = "The graph.")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("data", Required = true, MetaValue = "X.npy|X.npz", HelpText =
        "What the graph is called with: [N, ...], N calls, or with --state [N, calls, ...]; several inputs: .npz with their names.")]
    [ReadsFile]
    public string Data { get; set; } = "";

    [Option("set", MetaValue = "NAME=VALUE...", HelpText = "Inputs that always have the same value, for example sr=16000.")]
    public IEnumerable<string> Settings { get; set; } = [];

    [Option("state", MetaValue = "OUTPUT=INPUT...", HelpText = "Outputs that go into an input of the next call, for example stateN=state; zeros at first.")]
    public IEnumerable<string> States { get; set; } = [];

    [Option("keep", MetaValue = "K", HelpText = "Units to keep, one number for all layers or one for each, 64x32.")]
    public string? Keep { get; set; }

    [Option("fraction", MetaValue = "F", HelpText = "Share of each layer's units to keep, above 0 and up to 1.")]
    public double? Fraction { get; set; }

    [Option("tolerance", MetaValue = "E", HelpText = "Keep as few units as let the outputs differ by no more than this in the mean, in their own units.")]
    public double? Tolerance { get; set; }

    [Option("refine", Default = 400, MetaValue = "STEPS", HelpText = "Steps of refinement without labels after cutting; kept only where the outputs come closer. 0: none.")]
    public int RefineSteps { get; set; }

    [Option("out", Required = true, MetaValue = "SMALL.onnx", HelpText = "Where to write the smaller graph.")]
    [WritesFile]
    public string Out { get; set; } = "";

    [Option("report", MetaValue = "FILE.html", HelpText = "Write a page with the curve over sizes, and a slider that shows each size's cost, gain and call.")]
    [WritesFile]
    public string? ReportPath { get; set; }

    public override string Usage =>
        "FILE.onnx --data X.npy|X.npz [--set NAME=VALUE] [--state OUTPUT=INPUT] (--keep K | --fraction F | --tolerance E) --out SMALL.onnx "
        + "[--report FILE.html]";

    public override string Example => "gsrnn compress vad.onnx --data windows.npy --set sr=16000 --state stateN=state --keep 64 --out small.onnx";

    public override void Run(Terminal terminal)
    {
        if (new object?[] { Keep, Fraction, Tolerance }.Count(rule => rule is not null) != 1)
            throw new InvalidCallException("Say how much to keep, in one way: --keep, --fraction or --tolerance.");
        KeepSize? size = Keep is null ? null : KeepSize.Parse(Keep);
        CallOptions options = CallOptions.Parse(Settings, States);
        using Interruption interruption = new();
        Stopwatch watch = Stopwatch.StartNew();
        using GraphCompression compression = new(ModelPath, CalibrationData.Read(Data), options, cancellation: interruption.Token) { RefineSteps = RefineSteps };
        terminal.Note($"calibrated {string.Join(", ", compression.Layers.Select(layer => $"{layer.Name} ({layer.Units} units)"))} in {watch.Elapsed.TotalSeconds:0.0} s");
        SmallGraph graph = Tolerance is { } tolerance
            ? compression.Search(tolerance, tried => terminal.Note($"{string.Join('x', tried.Keep)} units: mean difference {tried.JudgedDifference:g3}"))
            : compression.Compress(size is not null ? compression.OfSize(size) : compression.OfShare(Fraction!.Value));
        GraphProof proof = compression.Prove(graph);
        if (proof.Outputs.FirstOrDefault(output => !double.IsFinite(output.MaxDifference)) is { } broken)
            throw new RunFailedException($"The smaller graph's output {broken.Name} is not finite on the sequences held out; nothing was written.");
        GraphCompression.Save(Out, graph);
        if (ReportPath is not null) WritePage(terminal, compression, new SizePoint(graph.Keep, proof), interruption.Token);
        Print(terminal, graph, proof);
    }

    private void WritePage(Terminal terminal, GraphCompression compression, SizePoint chosen, CancellationToken cancellation)
    {
        IReadOnlyList<SizePoint> curve = compression.Curve(point => terminal.Note($"{point.Size} units: {SizeSlider.Lost(point.Proof)}"), cancellation);
        new CompressionReport(chosen, curve).Save(
            ReportPath!, $"{Path.GetFileName(ModelPath)}: {string.Join(", ", compression.Layers.Select(layer => layer.Units))} units to {chosen.Size}", CallFor);
    }

    private string CallFor(SizePoint size)
    {
        string Pairs(string option, IEnumerable<string> pairs) => pairs.Any() ? $" {option} {string.Join(' ', pairs)}" : "";
        return $"gsrnn compress {ModelPath} --data {Data}{Pairs("--set", Settings)}{Pairs("--state", States)} --keep {size.Size} --out {Out}";
    }

    private void Print(Terminal terminal, SmallGraph graph, GraphProof proof)
    {
        terminal.Result(CompressionReport.Nodes(proof).ToText());
        terminal.Result($"on {proof.HeldOut} sequences held out, units chosen by the loss of {graph.Criterion}:\n{CompressionReport.Outputs(proof).ToText()}");
        terminal.Result(
            $"{Out}: {proof.BytesAfter:N0} of {proof.BytesBefore:N0} bytes, {proof.MicrosecondsAfter:0.0} us a call instead of {proof.MicrosecondsBefore:0.0} (1 thread)");
        terminal.Result(new JsonObject
        {
            ["model"] = Out,
            ["nodes"] = new JsonArray([.. proof.Nodes.Select(node => new JsonObject
            {
                ["name"] = node.Name,
                ["type"] = node.Type,
                ["hidden"] = new JsonObject { ["before"] = node.Before, ["after"] = node.After },
                ["inputs"] = node.Inputs,
                ["steps"] = node.Steps,
            })]),
            ["bytes"] = new JsonObject { ["before"] = proof.BytesBefore, ["after"] = proof.BytesAfter },
            ["microsecondsPerCall"] = new JsonObject
            {
                ["before"] = Terminal.Number(proof.MicrosecondsBefore),
                ["after"] = Terminal.Number(proof.MicrosecondsAfter),
            },
            ["outputs"] = new JsonArray([.. proof.Outputs.Select(output => new JsonObject
            {
                ["name"] = output.Name,
                ["maxDifference"] = Terminal.Number(output.MaxDifference),
                ["meanDifference"] = Terminal.Number(output.MeanDifference),
                ["agreement"] = output.Agreement,
                ["state"] = output.IsState,
            })]),
            ["heldOut"] = proof.HeldOut,
            ["criterion"] = graph.Criterion,
            ["report"] = ReportPath,
        });
    }
}
