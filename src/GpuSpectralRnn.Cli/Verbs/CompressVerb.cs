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

    [Option("data", Required = true, MetaValue = "[VALUE=]X.npy|X.npz...", HelpText =
        "What the graph is called with: [N, ...], N calls, or with --state [N, calls, ...]; several inputs: .npz with their names. "
        + "Where an input chooses between branches: its value before each file, 16000=wide.npy 8000=narrow.npy.")]
    [ReadsFile(hasValue: true)]
    public IEnumerable<string> Data { get; set; } = [];

    [Option("set", MetaValue = "NAME=VALUE...", HelpText =
        "Inputs that always have the same value, for example sr=16000; several for an input of one number, sr=8000,16000, in turns.")]
    public IEnumerable<string> Settings { get; set; } = [];

    [Option("state", MetaValue = "OUTPUT=INPUT...",
        HelpText = "Outputs that go into an input of the next call, for example stateN=state; zeros at first.")]
    public IEnumerable<string> States { get; set; } = [];

    [Option("keep", MetaValue = "K", HelpText = "Units to keep, one number for all layers or one for each, 64x32.")]
    public string? Keep { get; set; }

    [Option("fraction", MetaValue = "F", HelpText = "Share of each layer's units to keep, above 0 and up to 1.")]
    public double? Fraction { get; set; }

    [Option("tolerance", MetaValue = "E",
        HelpText = "Keep as few units as let the outputs differ by no more than this in the mean, in their own units.")]
    public double? Tolerance { get; set; }

    [Option("refine", Default = "auto", MetaValue = "auto|off|STEPS|SECONDSs", HelpText =
        "How long the cut nodes are brought closer to the original, without labels: while it helps, not at all, so many steps at each rate that it " +
        "tries, or so many seconds (20s); kept only where the outputs come closer.")]
    public string Refine { get; set; } = "auto";

    [Option("shared-budget", HelpText = "With --fraction: share the weights that stay out over the layers by what each unit costs.")]
    public bool IsShared { get; set; }

    [Option("shrink-state", HelpText = "States that go from call to call hold the kept units alone; the interface changes.")]
    public bool ShrinksState { get; set; }

    [Option("specialize", HelpText =
        "Make the smaller graph for calls of the data's shapes and the values of --set alone: Ifs that this decides give way to the branch they take, "
        + "the others go; smaller and faster.")]
    public bool Specializes { get; set; }

    [Option("threads", Default = 0, MetaValue = "N", HelpText = ComputeVerb.ThreadsHelp)]
    public int Threads { get; set; }

    [Option("out", MetaValue = "SMALL.onnx", HelpText = "Where to write the smaller graph.")]
    [WritesFile]
    public string? Out { get; set; }

    [Option("report", MetaValue = "FILE.html",
        HelpText = "Write a page with the curve over sizes, and a slider that shows each size's cost, gain and call.")]
    [WritesFile]
    public string? ReportPath { get; set; }

    public override string Usage =>
        "FILE.onnx --data X.npy|X.npz [--set NAME=VALUE] [--state OUTPUT=INPUT] [(--keep K | --fraction F | --tolerance E) --out SMALL.onnx] "
        + "[--report FILE.html]";

    public override string Example => "gsrnn compress vad.onnx --data windows.npy --set sr=16000 --state stateN=state --keep 64 --out small.onnx";

    public override void Run(Terminal terminal)
    {
        int rules = new object?[] { Keep, Fraction, Tolerance }.Count(rule => rule is not null);
        if (rules > 1)
            throw new InvalidCallException("Say how much to keep, in one way: --keep, --fraction or --tolerance; or in none, for a table of sizes.");
        if (rules == 1 && Out is null) throw new InvalidCallException("--out is missing: say where to write the smaller graph.");
        if (rules == 0 && (Out ?? ReportPath) is not null)
            throw new InvalidCallException($"{(Out is null ? "--report" : "--out")} needs a size: give --keep, --fraction or --tolerance.");
        if (IsShared && Fraction is null) throw new InvalidCallException("--shared-budget shares out a --fraction; give one.");
        if (ShrinksState && !States.Any())
            throw new InvalidCallException("--shrink-state: there is no state; name outputs that go into the next call by --state.");
        ComputeVerb.UseThreads(Threads);
        RefinementBudget refine = RefinementBudget.Parse(Refine);
        KeepSize? size = Keep is null ? null : KeepSize.Parse(Keep);
        CallOptions options = CallOptions.Parse(Settings, States) with { IsSpecialized = Specializes };
        using Interruption interruption = new();
        Stopwatch watch = Stopwatch.StartNew();
        IReadOnlyList<CalibrationSet> data = CalibrationSet.Read(Data);
        Opened.AddRange(data.SelectMany(set => set.Arrays.Values).OfType<IDisposable>());
        using GraphCompression compression = new(ModelPath, data, options, cancellation: interruption.Token)
        {
            Refine = refine,
            Note = terminal.Note,
            ShrinksState = ShrinksState,
        };
        int[]? keep = Count(compression, size);
        if (compression.Chosen is { } chosen) terminal.Note($"every sequence is called with each of {chosen}");
        terminal.Note($"calibrated {string.Join(", ", compression.Layers.Select(layer => $"{layer.Name} ({layer.Units} units)"))} " +
            $"in {watch.Elapsed.TotalSeconds:0.0} s");
        if (compression.Doubt is { } doubt) terminal.Note(doubt);
        if (rules == 0)
        {
            PrintCurve(terminal, compression);
            return;
        }

        SmallGraph graph = keep is not null
            ? compression.Compress(keep)
            : compression.Search(
                Tolerance!.Value, tried => terminal.Note($"{string.Join('x', tried.Keep)} units: mean difference {tried.JudgedDifference:g3}"));
        foreach (string node in compression.Compared) terminal.Note($"refinement compares what becomes of {node}");
        foreach (string node in compression.NotRefined) terminal.Note($"not refined: {node}");
        GraphProof proof = compression.Prove(graph);
        if (proof.Outputs.FirstOrDefault(output => !double.IsFinite(output.MaxDifference)) is { } broken)
            throw new RunFailedException($"The smaller graph's output {broken.Name} is not finite on the sequences held out; nothing was written.");
        GraphCompression.Save(Out!, graph);
        if (ReportPath is not null) WritePage(terminal, compression, new SizePoint(graph.Keep, proof));
        Print(terminal, graph, proof);
    }

    // Units of each layer, where that is said.
    private int[]? Count(GraphCompression compression, KeepSize? size)
    {
        if (size is not null) return compression.OfSize(size);
        if (Fraction is not { } share) return null;
        return IsShared ? compression.OfSharedBudget(share) : compression.OfShare(share);
    }

    private static JsonArray Outputs(GraphProof proof) => new([.. proof.Outputs.Select(output => new JsonObject
    {
        ["name"] = output.Name,
        ["maxDifference"] = Terminal.Number(output.MaxDifference),
        ["meanDifference"] = Terminal.Number(output.MeanDifference),
        ["agreement"] = output.Agreement,
        ["state"] = output.IsState,
        ["choice"] = output.Choice,
    })]);

    private static JsonObject Bytes(GraphProof proof) => new() { ["before"] = proof.BytesBefore, ["after"] = proof.BytesAfter };

    private static JsonObject Times(GraphProof proof) =>
        new() { ["before"] = Terminal.Number(proof.MicrosecondsBefore), ["after"] = Terminal.Number(proof.MicrosecondsAfter) };

    private void PrintCurve(Terminal terminal, GraphCompression compression)
    {
        IReadOnlyList<SizePoint> curve = compression.Curve(point => terminal.Note($"{point.Size} units: {SizeSlider.Lost(point.Proof)}"));
        if (CompressionReport.Advised(curve) is { } advised)
        {
            terminal.Result($"keep {advised.Size} units: expected {SizeSlider.Lost(advised.Proof)}; {SizeSlider.Gained(advised.Proof)}");
            terminal.Result("(the knee, farthest below the line from the smallest size to the largest)\n");
            terminal.Result($"to do    {CallFor(advised)}\n");
        }

        terminal.Result(CompressionReport.Sizes(curve).ToText());
        terminal.Result($"on {compression.HeldOut} sequences held out; nothing was written: give --keep, --fraction or --tolerance, and --out");
        terminal.Result(new JsonObject
        {
            ["model"] = ModelPath,
            ["sizes"] = new JsonArray([.. curve.Select(point => new JsonObject
            {
                ["keep"] = Terminal.Numbers(point.Keep),
                ["bytes"] = Bytes(point.Proof),
                ["microsecondsPerCall"] = Times(point.Proof),
                ["outputs"] = Outputs(point.Proof),
            })]),
            ["heldOut"] = compression.HeldOut,
        });
    }

    private void WritePage(Terminal terminal, GraphCompression compression, SizePoint chosen)
    {
        IReadOnlyList<SizePoint> curve = compression.Curve(point => terminal.Note($"{point.Size} units: {SizeSlider.Lost(point.Proof)}"));
        new CompressionReport(chosen, curve).Save(
            ReportPath!, Path.GetFileName(ModelPath), ShrinksState, CallFor);
    }

    private string CallFor(SizePoint size)
    {
        string[] Given(string option, IEnumerable<string> values) => values.Any() ? [option, .. values] : [];
        return CommandText.From(
        [
            "compress", ModelPath, "--data", .. Data, .. Given("--set", Settings), .. Given("--state", States), "--keep", size.Size,
            .. Given("--refine", Refine == "auto" ? [] : [Refine]),
            .. ShrinksState ? ["--shrink-state"] : Array.Empty<string>(),
            .. Specializes ? ["--specialize"] : Array.Empty<string>(),
            "--out", Out ?? "small.onnx",
        ]);
    }

    private void Print(Terminal terminal, SmallGraph graph, GraphProof proof)
    {
        terminal.Result($"{Out}: {CompressionReport.Answer(Path.GetFileName(ModelPath), proof)}\n");
        foreach ((string name, string text) in CompressionReport.Findings(Path.GetFileName(ModelPath), proof, ShrinksState))
            terminal.Result($"{name,-8} {text}");
        terminal.Result($"\non {proof.HeldOut} sequences held out:\n{CompressionReport.Outputs(proof).ToText()}");
        terminal.Result(CompressionReport.Nodes(proof).ToText());
        terminal.Result(
            $"units chosen by the loss of {graph.Criterion}; mean differences on the sequences that chose: "
            + string.Join("; ", graph.Candidates.Select(candidate => $"{candidate.Criterion} {candidate.Difference:g3}")));
        if (graph.RefinementSeconds > 0)
            terminal.Result(
                $"refinement: mean difference from {graph.CutDifference:g3} to {graph.JudgedDifference:g3} on the sequences to choose by, in "
                + $"{graph.RefinementSeconds:0.0} s; --refine off leaves it out");
        terminal.Result(new JsonObject
        {
            ["model"] = Out,
            ["nodes"] = new JsonArray([.. proof.Nodes.Select(node => new JsonObject
            {
                ["name"] = node.Name,
                ["type"] = node.Type,
                ["hidden"] = new JsonObject { ["before"] = node.Before, ["after"] = node.After },
                ["inputs"] = node.Inputs,
                ["multiplyAdds"] = new JsonObject { ["before"] = node.MultiplyAddsBefore, ["after"] = node.MultiplyAddsAfter },
                ["steps"] = node.Steps,
            })]),
            ["bytes"] = Bytes(proof),
            ["microsecondsPerCall"] = Times(proof),
            ["outputs"] = Outputs(proof),
            ["heldOut"] = proof.HeldOut,
            ["specialFor"] = proof.SpecialFor,
            ["criterion"] = graph.Criterion,
            ["candidates"] = new JsonArray([.. graph.Candidates.Select(candidate => new JsonObject
            {
                ["criterion"] = candidate.Criterion,
                ["meanDifference"] = Terminal.Number(candidate.Difference),
            })]),
            ["refinement"] = graph.RefinementSeconds == 0
                ? null
                : new JsonObject
                {
                    ["differenceBefore"] = Terminal.Number(graph.CutDifference),
                    ["difference"] = Terminal.Number(graph.JudgedDifference),
                    ["seconds"] = Terminal.Number(graph.RefinementSeconds),
                },
            ["report"] = ReportPath,
        });
    }
}
