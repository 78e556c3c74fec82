using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Reports;

/// <summary>Tables and charts of the analysis of a network's layers.</summary>
/// <param name="layers">From the input up.</param>
public sealed class SpectrumReport(IReadOnlyList<LayerAnalysis> layers)
{
    private const int TableRows = 13;

    private static readonly int[] Steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, int.MaxValue / TableRows];

    private static readonly double[] TraceShares = [0.9, 0.99, 0.999];

    /// <summary>One line per layer.</summary>
    public Table Summary()
    {
        Table table = new(
            new("layer"), new("units"), new("dead", Key: "deadUnits"), new("steps", "#,0"), new("trace", "0.####"),
            new("largest eigenvalue", "0.####"), new("rank"), new("N(tau)", "0.0"), new("k for 90 %"), new("k for 99 %"), new("k for 99.9 %"),
            new("L_G over rank bound at m/4", "0.0", "rankRatio"));
        foreach (LayerAnalysis layer in layers)
        {
            object?[] cells =
            [
                layer.Name, layer.Units, layer.DeadUnits, layer.Steps, layer.Spectrum.Trace, layer.Spectrum.Eigenvalues[0],
                layer.Spectrum.Eigenvalues.Count(mu => mu > 0), layer.Spectrum.DegreesOfFreedom(layer.LeverageLambda),
                .. TraceShares.Select(share => (object?)layer.Spectrum.UnitsForTrace(share)),
                layer.RankRatio(Math.Max(1, layer.Units / 4)),
            ];
            table.Add(cells);
        }

        return table;
    }

    /// <summary>The result in one line, layer by layer: <c>61 of 128 directions hold 99 % of the states' power</c>.</summary>
    public string Answer() => string.Join("; ", layers.Select(layer =>
        $"{(layers.Count > 1 ? $"{layer.Name}: " : "")}{layer.Spectrum.UnitsForTrace(0.99)} of {layer.Units} " +
        "directions hold 99 % of the states' power"));

    /// <summary>A loss at several numbers of kept units relative to the loss of the empty set, with a column for each selector.</summary>
    public static Table Losses(LayerAnalysis layer, string loss)
    {
        LossCurve[] curves = [.. layer.Curves.Where(curve => curve.Loss == loss)];
        Table table = new([new("k"), .. curves.Select(curve => new TableColumn($"{curve.Selector} (%)", "0.000", curve.Selector))])
        {
            Title = $"{Title(loss)}, share of the whole",
        };
        int step = Steps.First(step => step * TableRows >= layer.Units);
        for (int k = step; k < layer.Units + step; k += step)
        {
            int kept = Math.Min(k, layer.Units);
            table.Add([kept, .. curves.Select(curve => (object?)(100 * Share(curve, kept)))]);
        }

        return table;
    }

    /// <summary>The divergence against the size.</summary>
    public static Table Sizes(SizeCurve curve)
    {
        bool isClassifier = curve.Points[0].Judged.Agreement is not null;
        Table table = new(
            new("keep"), new(isClassifier ? "KL" : "mean squared difference", "0.####", "divergence"), new("agreement (%)", "0.0", "agreement"),
            new("multiply-adds", "#,0", "multiplyAdds"), new("fewer", "0.0x", "timesFewer"))
        {
            Title = $"divergence from the big network on {curve.Sequences:N0} sequences held out, adjoint criterion, before refinement",
        };
        foreach (SizeCurvePoint point in curve.Points)
            table.Add(
            [
                point.Size, point.Judged.Divergence, 100 * point.Judged.Agreement, point.MultiplyAdds,
                (double)curve.Points[^1].MultiplyAdds / point.MultiplyAdds,
            ]);
        return table;
    }

    /// <summary>Adds charts and tables of all layers to a page.</summary>
    public void AddTo(ReportPage page)
    {
        page.AddHeading("Layers").Add(Summary());
        page.AddText(
            "The trace is the mean power of the hidden states, all units together. N(λ) = Σ μ / (μ + λ) counts the directions that carry more "
            + "power than λ; tau is the ridge of the reconstruction. The last columns tell how many eigenvalues hold that share of the trace: "
            + "no k units can hold more than the k largest eigenvalues do.");
        foreach (LayerAnalysis layer in layers)
        {
            page.AddHeading($"Layer {layer.Name}: {layer.Units} units");
            if (layer.DeadUnits == layer.Units) page.AddText("The layer is dead: every hidden state is zero on these data.");
            page.Add(Eigenvalues(layer)).Add(DegreesOfFreedom(layer)).Add(Leverage(layer));
            foreach (string loss in layer.Curves.Select(curve => curve.Loss).Distinct()) page.Add(LossAgainstKept(layer, loss));
            page.AddText(
                "Losses count what the best linear reconstruction from the kept units does not recover. Greedy and backward search minimise the very "
                + "loss that is shown; leverage and random draw units whatever the loss, once. The rank bound is the least loss of any k directions: the "
                + "distance from it is the price of whole units, not of a bad search.");
            foreach (string loss in layer.Curves.Select(curve => curve.Loss).Distinct()) page.Add(Losses(layer, loss));
        }
    }

    private static LineChart Eigenvalues(LayerAnalysis layer) => new LineChart(
        "Eigenvalues of the Gram matrix", new Axis("number, from the largest"), new Axis("eigenvalue μ (mean square)", IsLogarithmic: true))
        .Add(new Series("eigenvalues", layer.Spectrum.Eigenvalues.Select((mu, i) => (i + 1.0, mu))));

    private static LineChart DegreesOfFreedom(LayerAnalysis layer) => new LineChart(
        "Degrees of freedom", new Axis("λ (mean square)", IsLogarithmic: true), new Axis("N(λ) (units)"))
        .Add(new Series("N", layer.DegreesOfFreedom.Reverse().Select(point => (point.Lambda, point.Value))));

    private static LineChart Leverage(LayerAnalysis layer) => new LineChart(
        "Leverage of the units", new Axis("unit, from the highest"), new Axis("leverage q (%)"))
        .Add(new Series("leverage", layer.Leverage.OrderDescending().Select((q, i) => (i + 1.0, 100 * q))));

    private static LineChart LossAgainstKept(LayerAnalysis layer, string loss)
    {
        LineChart chart = new(Title(loss), new Axis("kept units k"), new Axis("share of the whole loss (%)", IsLogarithmic: true));
        foreach (LossCurve curve in layer.Curves.Where(curve => curve.Loss == loss))
            chart.Add(new Series(curve.Selector, curve.ByKept.Select((_, k) => ((double)k, 100 * Share(curve, k)))));
        return chart;
    }

    private static string Title(string loss) => loss switch
    {
        "input" => "Input loss L_A against k",
        "output" => "Output loss L_B against k",
        _ => "Adjoint-weighted loss L_G against k",
    };

    private static double Share(LossCurve curve, int kept) => curve.ByKept[0] > 0 ? curve.ByKept[kept] / curve.ByKept[0] : 0;
}
