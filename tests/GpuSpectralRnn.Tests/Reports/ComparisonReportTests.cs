using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Reports;

public class ComparisonReportTests
{
    [Fact]
    public void The_table_has_a_line_per_row_with_the_papers_counts()
    {
        Table table = new ComparisonReport([Row("baseline", null, 0.97, null), Row("random", 42, 0.25, 0.9)]).ToTable(isBrief: false);

        string[] lines = table.ToCsv().Split("\r\n");
        Assert.Equal(
            "method,keep,value,std,fineTuned,fineTunedStd,inputHidden,hiddenHidden,hiddenOutput,multiplyAddsPerStep,msPerSequence,seeds", lines[0]);
        Assert.Equal("baseline,128,0.97,,,,128,16384,1280,16512,0.5,1", lines[1]);
        Assert.Equal("random,42,0.25,,0.9,,42,1764,420,1806,0.5,1", lines[2]);
        Assert.StartsWith("| method | units | accuracy |", table.ToMarkdown());
        Assert.Contains("25.0%", table.ToText());
    }

    [Fact]
    public void A_brief_table_leaves_out_what_no_row_has()
    {
        ComparisonReport single = new([Row("random", 42, 0.25, null)]), several = new([Row("random", 42, 0.25, 0.5, 0.75)]);

        Assert.DoesNotContain(single.ToTable(isBrief: true).Columns, column => column.Key is "std" or "fineTuned" or "fineTunedStd");
        Assert.Equal(12, several.ToTable(isBrief: true).Columns.Count);
    }

    [Fact]
    public void The_curves_end_at_the_baseline()
    {
        ComparisonReport report = new([Row("baseline", null, 0.97, null), Row("random", 64, 0.5, null), Row("random", 42, 0.25, null)]);

        Series line = Assert.Single(report.BySize().Series);
        Assert.Equal([(42.0, 25.0), (64, 50), (128, 97)], line.Points.Select(point => (point.X, point.Y)));
    }

    [Fact]
    public void Every_size_has_a_chart_with_a_row_for_each_method()
    {
        ComparisonReport report = new([Row("baseline", null, 0.97, 0.98), Row("random", 64, 0.5, 0.75), Row("random", 42, 0.25, null)]);

        DotChart[] charts = [.. report.ByMethod()];
        Assert.Equal(["accuracy by method, 64 units", "accuracy by method, 42 units"], charts.Select(chart => chart.Title));
        Assert.Equal(["baseline", "random"], charts[0].Rows.Select(row => row.Name));
        Assert.Equal([50.0, 75], charts[0].Rows[1].Dots.Select(dot => dot.Value));
        Assert.True(double.IsNaN(charts[1].Rows[1].Dots[1].Value));
    }

    [Fact]
    public void A_metric_that_is_better_when_smaller_is_shown_as_such()
    {
        ComparisonRow[] rows = [Row("baseline", null, 100, null), Row("random", 42, 5000, null)];
        rows = [.. rows.Select(row => new ComparisonRow([row.Runs[0] with { Result = row.Runs[0].Result with { Metric = "perplexity" } }]))];
        ReportPage page = new("p");
        new ComparisonReport(rows).AddTo(page);

        Assert.Contains("Smaller values of perplexity are better.", page.ToHtml());
        Assert.Contains("| baseline | 128 | 100.00 |", new ComparisonReport(rows).ToTable(isBrief: true).ToMarkdown());
        Assert.Equal(new Axis("perplexity", IsLogarithmic: true), new ComparisonReport(rows).ByMethod().Single().Values);
    }

    [Fact]
    public void The_legend_tells_of_the_methods_that_are_shown()
    {
        Table legend = new ComparisonReport([Row("baseline", null, 0.97, null), Row("column", 42, 0.5, null)]).Legend();

        Assert.Equal("column", Assert.Single(legend.Rows)[0]);
    }

    private static ComparisonRow Row(string method, int? units, double value, params double?[]? tuned)
    {
        Architecture architecture = new() { Cell = Cell.Irnn, Inputs = 1, Hidden = [units ?? 128], Outputs = 10 };
        return new ComparisonRow([.. (tuned ?? [null]).Select((further, seed) => new ComparisonRun
        {
            Method = method,
            Keep = units is { } k ? k : null,
            Seed = (ulong)seed,
            Architecture = architecture,
            Weights = WeightCounts.Of(architecture),
            Result = new Evaluation("accuracy", value, 1, 100),
            FineTuned = further is { } x ? new Evaluation("accuracy", x, 1, 100) : null,
            MillisecondsPerSequence = 0.5,
        })]);
    }
}
