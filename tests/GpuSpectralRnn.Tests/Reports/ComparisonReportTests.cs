using GpuSpectralRnn.Networks;
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
    public void The_curves_are_measured_by_the_baseline()
    {
        ComparisonReport report = new([Row("baseline", null, 0.97, null), Row("random", 64, 0.5, null), Row("random", 42, 0.25, null)]);

        LineChart chart = report.BySize();
        Assert.Equal([(42.0, 75.0), (64, 50)], Assert.Single(chart.Series).Points.Select(point => (point.X, point.Y)));
        Assert.Equal(3, chart.Reference!.Value.Value, 9);
        Assert.Equal(new Axis("error (%)", IsLogarithmic: true), chart.Y);
    }

    [Fact]
    public void A_network_without_a_mistake_stands_where_half_a_mistake_would()
    {
        ComparisonReport report = new([Row("baseline", null, 1, null), Row("random", 42, 1, null)]);

        Assert.Equal(0.5, report.BySize().Series[0].Points[0].Y, 9); // of 100 answers
    }

    [Fact]
    public void The_answer_names_the_smallest_network_that_is_hardly_worse()
    {
        ComparisonReport report = new(
        [
            Row("baseline", null, 0.993, null), Row("auto", 64, 0.992, null), Row("auto", 43, 0.985, null), Row("random", 43, 0.9, null),
            Row("scratch", 24, 0.993, null), Row("auto", 24, 0.8, null),
        ]);

        Assert.Equal("43 of 128 units keep 98.5 % of 99.3 % accuracy; no faster", report.Answer());
        Assert.Equal("43 of 128 units keep 90.0 % of 99.3 % accuracy; no faster", report.Answer("random"));
        Assert.StartsWith("0.8 points of accuracy: the error goes from 0.7 % to 1.5 % (auto", report.Findings()[0].Text);
        Assert.Equal(["lost", "gained"], report.Findings().Select(finding => finding.Name));
        Assert.Null(new ComparisonReport([Row("baseline", null, 0.993, null)]).Answer());
    }

    [Fact]
    public void Six_lines_at_most_are_coloured_and_the_chart_is_the_same_every_time()
    {
        ComparisonRow[] rows =
        [
            Row("baseline", null, 0.97, null),
            .. MethodSpec.All.SelectMany(method => new[] { Row(method.Name, 24, 0.5, null), Row(method.Name, 64, 0.9, null) }),
        ];
        LineChart chart = new ComparisonReport(rows).BySize();
        string svg = chart.ToSvgFile();

        Assert.Equal(["auto", "adjoint", "scratch", "random", "magnitude-unit", "paper"], chart.Series.Take(6).Select(line => line.Name));
        Assert.Equal(6, svg.Split("class=\"label\"").Length - 1);
        Assert.Equal(MethodSpec.All.Count - 6, svg.Split("class=\"rest\"").Length - 1);
        Assert.Equal(svg, new ComparisonReport(rows).BySize().ToSvgFile());
        Assert.DoesNotContain("href", svg);
        Assert.Contains("prefers-color-scheme: dark", svg);
        Assert.StartsWith("<svg", svg);
    }

    [Fact]
    public void Every_size_has_a_chart_with_a_row_for_each_method()
    {
        ComparisonReport report = new([Row("baseline", null, 0.97, 0.98), Row("random", 64, 0.5, 0.75), Row("random", 42, 0.25, null)]);

        DotChart[] charts = [.. report.ByMethod()];
        Assert.Equal(["error by method, 64 units", "error by method, 42 units"], charts.Select(chart => chart.Title));
        Assert.Equal(["baseline", "random"], charts[0].Rows.Select(row => row.Name));
        Assert.Equal([50.0, 25], charts[0].Rows[1].Dots.Select(dot => dot.Value));
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
            Recipe = architecture,
            Weights = WeightCounts.Count(architecture),
            Result = new Evaluation("accuracy", value, 1, 100),
            FineTuned = further is { } x ? new Evaluation("accuracy", x, 1, 100) : null,
            MillisecondsPerSequence = 0.5,
        })]);
    }
}
