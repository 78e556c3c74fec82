using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Reports;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("expander", HelpText =
    "How well a model's masks expand: the graph of each layer and gate, spectral gap, Ramanujan and Cheeger bounds; needs no data.")]
internal sealed class ExpanderVerb : ComputeVerb
{
    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file (safetensors).")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("steps", Default = 28, MetaValue = "T", HelpText = "Most steps of the unfolded graph, in which paths from inputs to outputs are sought.")]
    public int Steps { get; set; } = 28;

    [Option("report", MetaValue = "FILE.html", HelpText =
        "Write a page with singular values, delta_R against density beside random and biregular masks, and pictures of the masks.")]
    [WritesFile]
    public string? ReportPath { get; set; }

    public override string Usage => "MODEL [--steps T] [--report FILE.html]";

    public override string Example => "gsrnn expander digits.safetensors --report expander.html";

    public override void Run(Terminal terminal)
    {
        if (Steps is < 1 or > 100_000) throw new InvalidCallException($"--steps {Steps}: choose 1 to 100000.");
        using IBackend backend = OpenBackend();
        using Network network = ModelFile.Load(ModelPath, backend);
        using Interruption interruption = new();
        IReadOnlyList<LayerExpansion> layers = LayerExpansion.Compute(network, name => terminal.Note($"graph of {name}"), interruption.Token);
        if (layers.Count == 0) throw new InvalidCallException($"{ModelPath} holds no recurrence or linear module whose weights would be a graph.");
        double[]? reachability = UnfoldedGraph.Reachability(network, Steps);
        ExpanderReport report = new(layers);
        if (ReportPath is not null) WritePage(network, report, reachability);
        terminal.Result($"{report.Answer()}\n");
        terminal.Result(report.Summary().ToText());
        terminal.Result(report.Further().ToText());
        if (reachability is not null)
        {
            terminal.Result(
                $"paths join {reachability[0]:0.0 %} of the pairs of an input and an output within one step, " +
                $"{reachability[^1]:0.0 %} within {reachability.Length}");
        }
        if (ReportPath is not null) terminal.Result($"report: {ReportPath}");
        terminal.Result(new JsonObject
        {
            ["layers"] = new JsonArray([.. layers.Select(Describe)]),
            ["reachability"] = reachability is null ? null : new JsonArray([.. reachability.Select(Terminal.Number)]),
            ["parameters"] = network.Parameters.Count,
            ["kept"] = network.Parameters.CountKept(),
            ["report"] = ReportPath,
            ["device"] = backend.Device.Id,
        });
    }

    private void WritePage(Network network, ExpanderReport report, double[]? reachability)
    {
        DeviceInfo device = network.Backend.Device;
        ReportPage page = new($"Expansion of {Path.GetFileName(ModelPath)}") { Command = Call, Device = $"{device.Id}: {device.Name}" };
        page.AddAnswer(report.Answer());
        page.AddText($"{network}, {network.Parameters.CountKept():N0} of {network.Parameters.Count:N0} parameters kept.");
        report.AddTo(page, network.Backend, Seed, reachability);
        page.Save(ReportPath!);
    }

    private static JsonObject Describe(LayerExpansion layer)
    {
        (LayerGraph own, Expansion x) = layer;
        BipartiteGraph graph = x.Graph;
        return new JsonObject
        {
            ["name"] = own.Name,
            ["gate"] = own.Gate,
            ["left"] = graph.Left,
            ["right"] = graph.Right,
            ["edges"] = graph.Edges,
            ["density"] = Terminal.Number(graph.Density),
            ["leftDegree"] = Terminal.Number(graph.MeanLeftDegree),
            ["rightDegree"] = Terminal.Number(graph.MeanRightDegree),
            ["leftDegrees"] = Range(graph.LeftDegrees),
            ["rightDegrees"] = Range(graph.RightDegrees),
            ["emptyLeft"] = graph.EmptyLeft,
            ["emptyRight"] = graph.EmptyRight,
            ["sigma1"] = Terminal.Number(x.Sigma1),
            ["sigma2"] = Terminal.Number(x.Sigma2),
            ["gap"] = Terminal.Number(x.SpectralGap),
            ["deltaR"] = Number(x.DeltaR),
            ["deltaS"] = Number(x.DeltaS),
            ["relative"] = Number(x.Relative),
            ["weightedGap"] = Terminal.Number(x.WeightedGap),
            ["imdb"] = Number(x.MeanBound),
            ["cheegerLower"] = Number(x.CheegerLower),
            ["cheegerUpper"] = Number(x.CheegerUpper),
            ["ramanujan"] = x.IsRamanujan,
        };
    }

    private static JsonArray Range(int[] degrees) => Terminal.Numbers([degrees.DefaultIfEmpty(0).Min(), degrees.DefaultIfEmpty(0).Max()]);

    private static JsonNode? Number(double? value) => value is { } number ? Terminal.Number(number) : null;
}
