using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Reports;

/// <summary>Tables and charts of the graphs of a network's layers.</summary>
/// <param name="layers">In the order of a forward pass.</param>
public sealed class ExpanderReport(IReadOnlyList<LayerExpansion> layers)
{
    /// <summary>Order up to which all singular values are computed for a histogram.</summary>
    private const int MostValues = 1024;

    /// <summary>Order up to which random masks are drawn for comparison.</summary>
    private const int MostDrawn = 1024;

    private static readonly double[] Densities = [0.75, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.03];

    /// <summary>The result in one line: <c>2 of 3 layers are Ramanujan ...</c>.</summary>
    public string Answer()
    {
        LayerExpansion[] judged = [.. layers.Where(layer => layer.Expansion.IsEvaluated)];
        string rest = judged.Length == layers.Count ? "" : $"; {layers.Count - judged.Length} cannot be judged, with fewer than 3 edges to a node";
        if (judged.Length == 0) return $"no layer can be judged: all have fewer than {Expansion.LeastDegree} edges to a node";
        if (judged.All(layer => layer.Expansion.Graph.Density == 1))
            return $"every layer that can be judged is complete, no weight was taken away{rest}";
        LayerExpansion worst = judged.MinBy(layer => layer.Expansion.Relative)!;
        int good = judged.Count(layer => layer.Expansion.IsRamanujan == true);
        return $"{good} of {judged.Length} layers are Ramanujan (delta_R 0 or more); least in {worst.Layer.Name}: " +
            $"{worst.Expansion.Relative:+0.000;-0.000} of its bound at density {worst.Expansion.Graph.Density:0.###}{rest}";
    }

    /// <summary>One line per layer.</summary>
    public Table Summary()
    {
        Table table = new(
            new("layer"), new("inputs"), new("outputs"), new("edges", "#,0"), new("density", "0.###"), new("d_L", "0.0"), new("d_R", "0.0"),
                new("sigma_1", "0.###"),
            new("sigma_2", "0.###"), new("delta_R", "0.###"), new("over bound", "+0.000;-0.000", "relative"), new("Ramanujan"));
        foreach ((LayerGraph layer, Expansion x) in layers)
            table.Add(layer.Name, x.Graph.Left, x.Graph.Right, x.Graph.Edges, x.Graph.Density, x.Graph.MeanLeftDegree, x.Graph.MeanRightDegree,
                x.Sigma1, x.Sigma2, x.DeltaR, x.Relative,
                x.IsRamanujan switch { true => "yes", false => "no", _ => "not evaluated" });
        return table;
    }

    /// <summary>The other quantities, one line per layer.</summary>
    public Table Further()
    {
        Table table = new(
            new("layer"), new("delta_S", "0.###"), new("IMDB", "0.###", "imdb"), new("gap", "0.###"), new("weighted gap", "0.###"),
                new("Cheeger, at least", "0.####"),
            new("at most", "0.####"), new("degrees left"), new("degrees right"), new("empty inputs"), new("empty outputs"));
        foreach ((LayerGraph layer, Expansion x) in layers)
            table.Add(layer.Name, x.DeltaS, x.MeanBound, x.SpectralGap, x.WeightedGap, x.CheegerLower, x.CheegerUpper, Degrees(x.Graph.LeftDegrees),
                Degrees(x.Graph.RightDegrees),
                x.Graph.EmptyLeft, x.Graph.EmptyRight);
        return table;
    }

    /// <summary>Adds charts and tables of all layers to a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="backend">For singular values.</param>
    /// <param name="seed">Of the masks that are drawn for comparison.</param>
    /// <param name="reachability">Shares of input-output pairs within t = 1, 2, ... steps; null where they are not known.</param>
    public void AddTo(ReportPage page, IBackend backend, ulong seed, double[]? reachability)
    {
        page.AddHeading("Layers").Add(Summary()).Add(Further());
        page.AddText(
            "Inputs of a matrix on the left, outputs on the right, an edge for each weight that is kept; nodes without edges are left out of degrees and "
            + "singular values. delta_R = sqrt(d_L - 1) + sqrt(d_R - 1) - sigma_2, of mean degrees: 0 or more is Ramanujan. Masks drawn at random lose it "
            + "between 10 and 5 % density by their uneven degrees alone; masks of equal degrees keep it longer. It is a property of the mask and says nothing of the weights.");
        if (reachability is not null)
            page.Add(new LineChart("Paths through the unfolded graph", new Axis("steps t"), new Axis("input-output pairs joined (%)"))
                .Add(new Series("joined", reachability.Select((share, t) => (t + 1.0, 100 * share)))));
        Dictionary<(int, int), Series[]> drawn = [];
        foreach ((LayerGraph layer, Expansion x) in layers)
        {
            BipartiteGraph graph = x.Graph;
            page.AddHeading($"{layer.Name}: {graph}");
            if (layer.Gate is null && graph.Edges < (long)graph.Left * graph.Right
                && layers.Any(other => other.Layer.Parameter == layer.Parameter && other.Layer.Gate is not null))
                page.AddText("All gates together: an edge where any of them keeps a weight.");
            Matrix mask = graph.Biadjacency;
            if (Math.Min(mask.Rows, mask.Columns) is > 0 and <= MostValues)
                page.Add(new HistogramChart("Singular values of the mask", new Axis("σ"), GraphSpectrum.All(backend, mask)) { Reference =
                    ("bound", x.RamanujanBound) });
            if (graph.Density < 1 && Math.Max(graph.Left, graph.Right) <= MostDrawn)
            {
                if (!drawn.TryGetValue((graph.Left, graph.Right), out Series[]? lines)) drawn.Add((graph.Left, graph.Right), lines =
                    Reference(backend, graph, seed));
                LineChart chart = new("δ_R over its bound against density", new Axis("density", IsLogarithmic: true),
                    new Axis("δ_R over its bound")) { Reference = ("Ramanujan", 0) };
                if (x.Relative is { } own) chart.Add(new Series("this mask", [(graph.Density, own)]));
                foreach (Series line in lines) chart.Add(line);
                page.Add(chart);
            }

            if (graph.Density < 1) page.Add(new MaskImage($"Mask, {mask.Rows} outputs down, {mask.Columns} inputs across", mask));
            if (Math.Max(mask.Rows, mask.Columns) is > 0 and <= BipartitePicture.MostNodes
                && graph.Density < 1) page.Add(new BipartitePicture("The graph", mask));
        }
    }

    private static Series[] Reference(IBackend backend, BipartiteGraph graph, ulong seed)
    {
        IEnumerable<double> densities = Densities.Reverse();
        return
        [
            new("random", LayerExpansion.Reference(backend, graph.Right, graph.Left, densities, (rows, columns, edges) =>
                UniformMask.Draw(rows, columns, edges, seed))),
            new("biregular", LayerExpansion.Reference(backend, graph.Right, graph.Left, densities, (rows, columns, edges) =>
                BiregularMask.Draw(rows, columns, edges, seed))),
        ];
    }

    private static string Degrees(int[] degrees) => degrees.Length == 0 ? "" : $"{degrees.Min()} to {degrees.Max()}";
}
