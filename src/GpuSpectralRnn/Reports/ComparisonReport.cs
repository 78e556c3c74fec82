using System.Globalization;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Reports;

/// <summary>Table and charts of a <see cref="Comparison"/>.</summary>
/// <param name="rows">The rows that are measured; at least one.</param>
public sealed class ComparisonReport(IReadOnlyList<ComparisonRow> rows)
{
    private const string Note =
        "Weights are those that are kept. A mask takes weights away and leaves the multiply-adds, and the time, as they were. low-rank counts both "
        + "factors, and the multiply-adds of applying one after the other; here they are multiplied out before a forward pass, so that the time does "
        + "not fall.";

    // Loss of the metric, relative to the big network's, up to which a network counts as equally good.
    private const double Hardly = 0.01;

    // The lines that are coloured, the most telling first; others follow in the order of the table.
    internal static readonly string[] First = [MethodSpec.Auto, "adjoint", MethodSpec.Scratch, "random", "magnitude-unit", "paper"];

    private ComparisonRow Big => rows.First(row => row.Method == MethodSpec.Baseline);

    private bool IsAccuracy => rows[0].Metric == "accuracy";

    // Values that differ by more than this are shown by powers of ten, where smaller ones are better.
    private const double WideRange = 10;

    // What multiply-adds are counted for: steps mean the same in all fields only where there is one.
    private string Unit => rows[0].Graph.Fields.Count == 1 ? "step" : "sequence";

    // Accuracies near 100 % cannot be told apart on a linear axis; their errors on a logarithmic one can.
    private string Measure => IsAccuracy ? "error" : rows[0].Metric;

    /// <summary>One line per method and size. Weights are those kept, multiply-adds those computed: a mask saves none.</summary>
    /// <param name="isBrief">Whether columns that no row fills are left out: deviations of a single seed, fine-tuning that was not requested.</param>
    public Table ToTable(bool isBrief)
    {
        string format = Format;
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
            (new TableColumn($"multiply-adds/{Unit}", "#,0", $"multiplyAddsPer{char.ToUpperInvariant(Unit[0])}{Unit[1..]}"), row => row.MultiplyAdds),
            (new TableColumn("ms/sequence", "0.0000", "msPerSequence"), row => row.MillisecondsPerSequence),
            (new TableColumn("seeds"), row => row.Runs.Count),
        ];
        (TableColumn Column, Func<ComparisonRow, object?> Cell)[] shown = [.. all.Where(c => !isBrief || rows.Any(row => c.Cell(row) is not null))];
        Table table = new([.. shown.Select(c => c.Column)]);
        foreach (ComparisonRow row in rows) table.Add([.. shown.Select(c => c.Cell(row))]);
        return table;
    }

    /// <summary>
    /// The result in one line, <c>43 of 128 units keep 98.5 % of 99.3 %; 2.4x faster</c>: the smallest network that counts as equally good, or the
    /// best one where none does. Null where nothing is pruned yet.
    /// </summary>
    /// <param name="method">The only method considered; null for every method that makes a smaller network of the big one.</param>
    public string? Answer(string? method = null)
    {
        if (Best(method) is not { } best) return null;
        string keep = IsAccuracy ? $"keep {Value(best)} of {Value(Big)} accuracy" : $"reach {best.Metric} {Value(best)}, of {Value(Big)}";
        double faster = Big.MillisecondsPerSequence / best.MillisecondsPerSequence;
        string speed = faster >= 1.05 ? string.Create(CultureInfo.InvariantCulture, $"{faster:0.0}x faster") : "no faster";
        return $"{Units(best)} of {Units(Big)} units {keep}; {speed}";
    }

    /// <summary>Details of <see cref="Answer"/>: losses and gains. Empty where there is none.</summary>
    /// <param name="method">As in <see cref="Answer"/>.</param>
    public IReadOnlyList<(string Name, string Text)> Findings(string? method = null)
    {
        if (Best(method) is not { } best) return [];
        double small = Final(best), big = Final(Big);
        string how = $"{best.Method}{(best.FineTuned is null ? ", without training since" : ", fine-tuned")}";
        string lost = IsAccuracy
            ? FormattableString.Invariant($"{100 * (big - small):0.0;−0.0;0.0} points of accuracy: the error goes from ")
                + FormattableString.Invariant($"{100 * (1 - big):0.0} % to {100 * (1 - small):0.0} % ({how})")
            : $"{best.Metric} goes from {Value(Big)} to {Value(best)} ({how})";
        string gained = string.Create(
            CultureInfo.InvariantCulture,
            $"{best.Graph.ParameterCount:#,0} parameters instead of {Big.Graph.ParameterCount:#,0}, "
            + $"{best.MultiplyAdds:#,0} multiply-adds a {Unit} instead of {Big.MultiplyAdds:#,0}, "
            + $"{best.MillisecondsPerSequence:0.####} ms a sequence instead of {Big.MillisecondsPerSequence:0.####}");
        return [("lost", lost), ("gained", gained)];
    }

    /// <summary>The row that <see cref="Answer"/> is about; null where there is none.</summary>
    /// <param name="method">As in <see cref="Answer"/>.</param>
    public ComparisonRow? Best(string? method = null)
    {
        if (rows.All(row => row.Method != MethodSpec.Baseline)) return null;
        bool isLargerBetter = Big.Runs[0].Result.IsLargerBetter;
        double big = Final(Big);
        ComparisonRow[] some =
        [
            .. rows.Where(row => (method is null ? row.Method != MethodSpec.Scratch : row.Method == method) && double.IsFinite(Final(row))
                && row.Keep is not null && row.Graph.ParameterCount < Big.Graph.ParameterCount),
        ];
        double Loss(ComparisonRow row) => isLargerBetter ? -Final(row) : Final(row);
        ComparisonRow[] close = [.. some.Where(row => Loss(row) <= Loss(Big) + Hardly * Math.Abs(big))];
        return close.OrderBy(row => row.Graph.ParameterCount).ThenBy(Loss).FirstOrDefault() ?? some.MinBy(Loss);
    }

    /// <summary>Descriptions of the methods in the table.</summary>
    public Table Legend()
    {
        Table table = new(new TableColumn("method"), new TableColumn("what it is"));
        HashSet<string> shown = [.. rows.Select(row => row.Method)];
        foreach (MethodSpec method in MethodSpec.All.Where(method => shown.Contains(method.Name))) table.Add(method.Name, method.Description);
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
                ? new($"{Measure} by method, {keep} units", ValueAxis(some), "as compressed", "fine-tuned")
                : new($"{Measure} by method, {keep} units", ValueAxis(some), "as compressed");
            foreach (ComparisonRow row in some)
            {
                ChartPoint plain = Point(0, row.Value), tuned = Point(0, row.FineTuned);
                Dot[] dots = [new(plain.Y, plain.Error), new(tuned.Y, tuned.Error)];
                chart.Add(row.Method, dots[..(isTuned ? 2 : 1)]);
            }

            yield return chart;
        }
    }

    /// <summary>The metric after compression against the kept units; the baseline is the last point of every line.</summary>
    public LineChart BySize() => Chart("units k of a layer", "as compressed, by units", row => row.Keep?.Mean, row => row.Value);

    /// <summary>The metric after fine-tuning against the kept units.</summary>
    public LineChart BySizeFineTuned() => Chart("units k of a layer", "fine-tuned, by units", row => row.Keep?.Mean, row => row.FineTuned);

    /// <summary>The metric after compression against all kept weights.</summary>
    public LineChart ByWeights() => Chart(
        "weights kept",
        "as compressed, by weights",
        row => row.Weights.InputHidden + row.Weights.HiddenHidden + row.Weights.HiddenOutput,
        row => row.Value,
        isLogarithmic: true);

    private string Format => rows[0].Metric switch
    {
        "accuracy" => "0.0%",
        "perplexity" => "0.00",
        "bits-per-char" => "0.0000",
        _ => "0.00000",
    };

    private string Value(ComparisonRow row) =>
        IsAccuracy
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * Final(row):0.0} %")
            : Final(row).ToString(Format, CultureInfo.InvariantCulture);

    // The big network counts as it was trained: that is what its owner has.
    private static double Final(ComparisonRow row) => (row.Keep is null ? row.Value : row.FineTuned ?? row.Value).Mean;

    private static string Units(ComparisonRow row) => Size(row).ToString()!;

    private IEnumerable<KeepSize> Sizes => rows.Select(row => row.Keep).OfType<KeepSize>().Distinct();

    private string Better => rows[0].Runs[0].Result.IsLargerBetter
        ? IsAccuracy ? "Charts show the error, 100 % less the accuracy, by powers of ten; smaller is better." : ""
        : $"Smaller values of {rows[0].Metric} are better.";

    // A number where one says it.
    private static object Size(ComparisonRow row)
    {
        KeepSize size = (row.Keep ?? new KeepSize([.. row.Units])).Shortened;
        return size.Units.Count == 1 ? size.Units[0] : size.ToString();
    }

    private Axis ValueAxis(IEnumerable<ComparisonRow> some)
    {
        if (IsAccuracy) return new Axis("error (%)", IsLogarithmic: true);
        double[] values =
        [
            .. some.SelectMany(row => new[] { row.Value.Mean, row.FineTuned?.Mean ?? row.Value.Mean }).Where(x => x > 0 && double.IsFinite(x)),
        ];
        bool isWide = values.Length > 0 && values.Max() > WideRange * values.Min();
        return new Axis(rows[0].Metric, isWide);
    }

    private LineChart Chart(
        string axis, string what, Func<ComparisonRow, double?> place, Func<ComparisonRow, MeanAndDeviation?> value, bool isLogarithmic = false)
    {
        ComparisonRow? baseline = rows.FirstOrDefault(row => row.Method == MethodSpec.Baseline);
        LineChart chart = new($"{Measure} {what}", new Axis(axis, isLogarithmic), ValueAxis(rows))
        {
            Reference = baseline is null || value(baseline) is null ? null : ($"{Units(baseline)} units, not pruned", Point(0, value(baseline)).Y),
        };
        foreach (IGrouping<string, ComparisonRow> method in rows.Where(row => row.Keep is not null).GroupBy(row => row.Method)
            .OrderBy(group => Array.IndexOf(First, group.Key) is var rank and >= 0 ? rank : First.Length))
        {
            List<ChartPoint> points = [.. method.Select(row => Point(place(row)!.Value, value(row)))];
            chart.Add(new Series(method.Key, [.. points.OrderBy(point => point.X)]));
        }

        return chart;
    }

    private ChartPoint Point(double place, MeanAndDeviation? value)
    {
        double mean = value?.Mean ?? double.NaN, deviation = value?.Deviation ?? 0;
        if (!IsAccuracy) return new ChartPoint(place, mean, deviation);

        // An error of zero has no place on a logarithmic axis; it is drawn where half a wrong output would be.
        double least = 0.5 / Math.Max(1, rows[0].Runs[0].Result.Rows);
        return new ChartPoint(place, 100 * Math.Max(1 - mean, least), 100 * deviation);
    }
}
