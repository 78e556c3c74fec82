using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Reports;

/// <summary>How a <see cref="Comparison"/> is shown: its table and its charts.</summary>
/// <param name="rows">The rows that are measured; at least one.</param>
public sealed class ComparisonReport(IReadOnlyList<ComparisonRow> rows)
{
    private bool IsAccuracy => rows[0].Metric == "accuracy";

    private string Percent => IsAccuracy ? " (%)" : "";

    /// <summary>
    /// One line per method and size. Weights are those that are kept, multiply-adds those that are computed: a mask saves none.
    /// </summary>
    /// <param name="isBrief">Whether columns are left out that no row fills: deviations of a single seed, fine-tuning that was not asked for.</param>
    public Table ToTable(bool isBrief)
    {
        string format = IsAccuracy ? "0.0%" : "0.00000";
        (TableColumn Column, Func<ComparisonRow, object?> Cell)[] all =
        [
            (new TableColumn("method"), row => row.Method),
            (new TableColumn("units", Key: "keep"), row => row.Keep ?? row.Architecture.Hidden.Max()),
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

    /// <summary>The metric as compressed against the units that are kept; the baseline is the last point of every line.</summary>
    public LineChart BySize() => Chart("units k", "as compressed, by units", row => row.Keep, row => row.Value);

    /// <summary>The metric after fine-tuning against the units that are kept.</summary>
    public LineChart BySizeFineTuned() => Chart("units k", "fine-tuned, by units", row => row.Keep, row => row.FineTuned);

    /// <summary>The metric as compressed against all weights that are kept.</summary>
    public LineChart ByWeights() => Chart(
        "weights kept",
        "as compressed, by weights",
        row => row.Weights.InputHidden + row.Weights.HiddenHidden + row.Weights.HiddenOutput,
        row => row.Value,
        isLogarithmic: true);

    private LineChart Chart(
        string axis, string what, Func<ComparisonRow, double?> place, Func<ComparisonRow, MeanAndDeviation?> value, bool isLogarithmic = false)
    {
        LineChart chart = new($"{rows[0].Metric} {what}", new Axis(axis, isLogarithmic), new Axis($"{rows[0].Metric}{Percent}"));
        ComparisonRow? baseline = rows.FirstOrDefault(row => row.Method == ComparedMethod.Baseline);
        foreach (IGrouping<string, ComparisonRow> method in rows.Where(row => row.Keep is not null).GroupBy(row => row.Method))
        {
            List<ChartPoint> points = [.. method.Select(row => Point(place(row)!.Value, value(row)))];
            if (baseline is not null)
                points.Add(Point(place(baseline) ?? baseline.Architecture.Hidden.Max(), value(baseline)));
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
