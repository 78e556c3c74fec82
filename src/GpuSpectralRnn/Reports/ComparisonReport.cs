using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Reports;

/// <summary>How a <see cref="Comparison"/> is shown: its table and its charts.</summary>
/// <param name="rows">The rows that are measured; at least one.</param>
public sealed class ComparisonReport(IReadOnlyList<ComparisonRow> rows)
{
    private const string Note =
        "Weights are those that are kept. A mask takes weights away and leaves the multiply-adds, and the time, as they were. low-rank counts both "
        + "factors, and the multiply-adds of applying one after the other; here they are multiplied out before a forward pass, so that the time does "
        + "not fall.";

    private bool IsAccuracy => rows[0].Metric == "accuracy";

    // Values that differ by more than this are shown by powers of ten, where smaller ones are better.
    private const double WideRange = 10;

    private string Percent => IsAccuracy ? " (%)" : "";

    /// <summary>
    /// One line per method and size. Weights are those that are kept, multiply-adds those that are computed: a mask saves none.
    /// </summary>
    /// <param name="isBrief">Whether columns are left out that no row fills: deviations of a single seed, fine-tuning that was not asked for.</param>
    public Table ToTable(bool isBrief)
    {
        string format = rows[0].Metric switch
        {
            "accuracy" => "0.0%",
            "perplexity" => "0.00",
            "bits-per-char" => "0.0000",
            _ => "0.00000",
        };
        (TableColumn Column, Func<ComparisonRow, object?> Cell)[] all =
        [
            (new TableColumn("method"), row => row.Method),
            (new TableColumn("units", Key: "keep"), row => Size(row)),
            (new TableColumn(rows[0].Metric, format, "value"), row => row.Value.Mean),
            (new TableColumn("(std)", format, "std"), row => row.Value.Deviation),
            (new TableColumn("fine-tuned", format, "fineTuned"), row => row.FineTuned?.Mean),
            (new TableColumn("(std fine-tuned)", format, "fineTunedStd"), row => row.FineTuned?.Deviation),
            (new TableColumn("in-hid", "#,0", "inputHidden"), row => row.Weights.InputHidden),
            (new TableColumn("hid-hid", "#,0", "hiddenHidden"), row => row.Weights.HiddenHidden),
            (new TableColumn("hid-out", "#,0", "hiddenOutput"), row => row.Weights.HiddenOutput),
            (new TableColumn("multiply-adds/step", "#,0", "multiplyAddsPerStep"), row => row.Architecture.MultiplyAddsPerStep),
            (new TableColumn("ms/sequence", "0.0000", "msPerSequence"), row => row.MillisecondsPerSequence),
            (new TableColumn("seeds"), row => row.Runs.Count),
        ];
        (TableColumn Column, Func<ComparisonRow, object?> Cell)[] shown = [.. all.Where(c => !isBrief || rows.Any(row => c.Cell(row) is not null))];
        Table table = new([.. shown.Select(c => c.Column)]);
        foreach (ComparisonRow row in rows) table.Add([.. shown.Select(c => c.Cell(row))]);
        return table;
    }

    /// <summary>What the methods of the table are.</summary>
    public Table Legend()
    {
        Table table = new(new TableColumn("method"), new TableColumn("what it is"));
        HashSet<string> shown = [.. rows.Select(row => row.Method)];
        foreach (ComparedMethod method in ComparedMethod.All.Where(method => shown.Contains(method.Name))) table.Add(method.Name, method.Description);
        return table;
    }

    /// <summary>Adds the table and all charts to a page.</summary>
    public void AddTo(ReportPage page)
    {
        page.Add(ToTable(isBrief: true)).AddText($"{Note} {Better}");
        foreach (DotChart chart in ByMethod()) page.Add(chart);
        if (Sizes.Count() > 1) AddCurves(page);
    }

    /// <summary>Adds the charts over sizes to a page.</summary>
    public void AddCurves(ReportPage page)
    {
        page.Add(BySize()).Add(ByWeights());
        if (rows.Any(row => row.FineTuned is not null)) page.Add(BySizeFineTuned());
    }

    /// <summary>The metric of every method at one size, a chart for each size.</summary>
    public IEnumerable<DotChart> ByMethod()
    {
        bool isTuned = rows.Any(row => row.FineTuned is not null);
        foreach (KeepSize keep in Sizes)
        {
            ComparisonRow[] some = [.. rows.Where(row => row.Keep is null || row.Keep == keep)];
            DotChart chart = isTuned
                ? new($"{rows[0].Metric} by method, {keep} units", ValueAxis(some), "as compressed", "fine-tuned")
                : new($"{rows[0].Metric} by method, {keep} units", ValueAxis(some), "as compressed");
            foreach (ComparisonRow row in some)
            {
                ChartPoint plain = Point(0, row.Value), tuned = Point(0, row.FineTuned);
                Dot[] dots = [new(plain.Y, plain.Error), new(tuned.Y, tuned.Error)];
                chart.Add(row.Method, dots[..(isTuned ? 2 : 1)]);
            }

            yield return chart;
        }
    }

    /// <summary>The metric as compressed against the units that are kept; the baseline is the last point of every line.</summary>
    public LineChart BySize() => Chart("units k of a layer", "as compressed, by units", row => row.Keep?.Mean, row => row.Value);

    /// <summary>The metric after fine-tuning against the units that are kept.</summary>
    public LineChart BySizeFineTuned() => Chart("units k of a layer", "fine-tuned, by units", row => row.Keep?.Mean, row => row.FineTuned);

    /// <summary>The metric as compressed against all weights that are kept.</summary>
    public LineChart ByWeights() => Chart(
        "weights kept",
        "as compressed, by weights",
        row => row.Weights.InputHidden + row.Weights.HiddenHidden + row.Weights.HiddenOutput,
        row => row.Value,
        isLogarithmic: true);

    private IEnumerable<KeepSize> Sizes => rows.Select(row => row.Keep).OfType<KeepSize>().Distinct();

    private string Better => rows[0].Runs[0].Result.IsLargerBetter ? "" : $"Smaller values of {rows[0].Metric} are better.";

    // A number where one says it.
    private static object Size(ComparisonRow row)
    {
        KeepSize size = row.Keep ?? new KeepSize([.. row.Architecture.Hidden]);
        return size.Units.Distinct().Count() == 1 ? size.Units[0] : size.ToString();
    }

    private Axis ValueAxis(IEnumerable<ComparisonRow> some)
    {
        double[] values =
        [
            .. some.SelectMany(row => new[] { row.Value.Mean, row.FineTuned?.Mean ?? row.Value.Mean }).Where(x => x > 0 && double.IsFinite(x)),
        ];
        bool isWide = !IsAccuracy && values.Length > 0 && values.Max() > WideRange * values.Min();
        return new Axis($"{rows[0].Metric}{Percent}", isWide);
    }

    private LineChart Chart(
        string axis, string what, Func<ComparisonRow, double?> place, Func<ComparisonRow, MeanAndDeviation?> value, bool isLogarithmic = false)
    {
        LineChart chart = new($"{rows[0].Metric} {what}", new Axis(axis, isLogarithmic), ValueAxis(rows));
        ComparisonRow? baseline = rows.FirstOrDefault(row => row.Method == ComparedMethod.Baseline);
        foreach (IGrouping<string, ComparisonRow> method in rows.Where(row => row.Keep is not null).GroupBy(row => row.Method))
        {
            List<ChartPoint> points = [.. method.Select(row => Point(place(row)!.Value, value(row)))];
            if (baseline is not null)
                points.Add(Point(place(baseline) ?? baseline.Architecture.Hidden.Average(), value(baseline)));
            chart.Add(new Series(method.Key, [.. points.OrderBy(point => point.X)]));
        }

        return chart;
    }

    private ChartPoint Point(double place, MeanAndDeviation? value)
    {
        double unit = IsAccuracy ? 100 : 1;
        return new ChartPoint(place, unit * (value?.Mean ?? double.NaN), unit * (value?.Deviation ?? 0));
    }
}
