using System.Globalization;
using System.Xml.Linq;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Reports;

public class ReportPageTests
{
    private const string Nasty = "<script>alert('x')</script> & \"quotes\" \u0001 \ud800 ]]> 学";

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void A_page_is_well_formed_and_everything_from_outside_is_escaped()
    {
        LineChart chart = new LineChart(Nasty, new Axis(Nasty), new Axis(Nasty, IsLogarithmic: true))
            .Add(new Series(Nasty, [(1, 2), (2, 30)])).Add(new Series(Nasty, [(1, 1), (2, 3)]));
        ReportPage page = new ReportPage(Nasty) { Command = Nasty, Device = Nasty }
            .AddHeading(Nasty).AddText(Nasty).Add(chart).Add(new Table(new TableColumn(Nasty)) { Title = Nasty }.Add(Nasty));

        XElement html = Parse(page);

        Assert.DoesNotContain(html.DescendantsAndSelf(), element => element.Name.LocalName == "script");
        Assert.StartsWith("<script>alert('x')", html.Descendants("h1").Single().Value);
        Assert.Equal(Nasty.Replace('\u0001', '\uFFFD').Replace('\ud800', '\uFFFD'), html.Descendants("td").Single().Value);
    }

    [Fact]
    public void A_page_needs_nothing_from_elsewhere()
    {
        string html = new ReportPage("t").Add(new LineChart("c", new Axis("x"), new Axis("y")).Add(new Series("s", [(1, 1)]))).ToHtml();

        // The one address is the name of the SVG language.
        Assert.DoesNotContain("http", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal));
        Assert.DoesNotContain("url(", html);
        Assert.DoesNotContain("@import", html);
        Assert.Contains("prefers-color-scheme: dark", html);
        Assert.Contains("width=device-width", html);
    }

    [Fact]
    public void The_style_sheet_is_not_changed_by_escaping() => Assert.Equal(-1, ReportStyle.Sheet.AsSpan().IndexOfAny('<', '>', '&'));

    [Fact]
    public void The_footer_says_where_the_page_comes_from()
    {
        DateTimeOffset date = new(2026, 3, 4, 5, 6, 7, TimeSpan.FromHours(2));
        XElement footer = Parse(new ReportPage("t") { Command = "gsrnn spectrum m", Device = "host", Date = date }).Descendants("footer").Single();

        Assert.Equal(["command", "device", "date", "version"], footer.Descendants("dt").Select(e => e.Value));
        Assert.Equal("gsrnn spectrum m", footer.Descendants("code").Single().Value);
        Assert.Contains("2026-03-04 05:06 +02:00", footer.Value);
    }

    [Fact]
    public void Charts_in_a_row_share_a_grid()
    {
        static LineChart Chart() => new LineChart("c", new Axis("x"), new Axis("y")).Add(new Series("s", [(1, 1), (2, 2)]));
        XElement html = Parse(new ReportPage("t").Add(Chart()).Add(Chart()).AddText("between").Add(Chart()));

        Assert.Equal([2, 1], html.Descendants("div").Where(e => (string?)e.Attribute("class") == "charts").Select(e => e.Elements("figure").Count()));
    }

    [Fact]
    public void Several_lines_have_names_colours_and_markers_of_their_own()
    {
        LineChart chart = new("c", new Axis("kept units k"), new Axis("accuracy (%)"));
        for (int i = 0; i < 9; i++) chart.Add(new Series($"method {i}", [new ChartPoint(1, i, 0.5), new ChartPoint(2, i + 1)]));

        XElement figure = chart.ToHtml();

        XElement[] labels = [.. figure.Descendants(Svg + "text").Where(e => (string?)e.Attribute("class") == "label")];
        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"method {i}"), labels.Select(e => e.Value).Order());
        Assert.Equal(6, labels.Select(e => e.Parent!.Attribute("class")!.Value).Distinct().Count());
        double[] places = [.. labels.Select(e => double.Parse(e.Attribute("y")!.Value, CultureInfo.InvariantCulture)).Order()];
        Assert.All(places.Zip(places.Skip(1)), pair => Assert.True(pair.Second - pair.First > 13)); // none on another
        string[] shapes = [.. figure.Descendants(Svg + "path").Where(e => (string?)e.Attribute("class") == "marker")
            .Select(e => e.Attribute("d")!.Value).Select(d => d[d.IndexOf('m')..])];
        Assert.True(shapes.Distinct().Count() >= 6);
        Assert.Contains("In grey: method 6, method 7, method 8", figure.Value);
        Assert.Equal(9, figure.Descendants(Svg + "path").Count(e => (string?)e.Attribute("class") == "bars"));
        Assert.Contains(figure.Descendants(Svg + "text"), e => e.Value == "kept units k");
        Assert.Contains(figure.Descendants(Svg + "text"), e => e.Value == "accuracy (%)");
    }

    [Fact]
    public void Dots_stand_in_their_rows_by_value()
    {
        DotChart chart = new DotChart("c", new Axis("accuracy (%)"), "plain", "tuned")
            .Add("first", new Dot(0), new Dot(100)).Add("second", new Dot(50, 10), new Dot(double.NaN));

        XElement figure = chart.ToHtml();
        string[] markers =
            [.. figure.Element(Svg + "svg")!.Descendants(Svg + "path").Where(e => (string?)e.Attribute("class") == "marker").Select(e => e.Attribute("d")!.Value)];
        (double X, double Y)[] places = [.. markers.Select(d => d[1..].Split('m')[0].Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)))
            .Select(numbers => numbers.ToArray()).Select(p => (p[0], p[1]))];

        Assert.Equal(3, places.Length);
        Assert.Equal((places[0].X + places[1].X) / 2, places[2].X, 0.02); // two decimals are written
        Assert.Equal(places[0].Y, places[1].Y);
        Assert.True(places[2].Y > places[0].Y);
        Assert.Equal(["plain", "tuned"], figure.Descendants("li").Select(e => e.Value));
        Assert.Single(figure.Descendants(Svg + "path"), e => (string?)e.Attribute("class") == "bars");
        Assert.Throws<ArgumentException>(() => chart.Add("third", new Dot(1)));
        Assert.Contains("accuracy (%)", new DotChart("empty", new Axis("accuracy (%)"), "plain").ToSvg().Value);
    }

    [Fact]
    public void Points_without_a_place_break_the_line()
    {
        LineChart chart = new LineChart("c", new Axis("x"), new Axis("y", IsLogarithmic: true))
            .Add(new Series("s", [(1, 10), (2, 0), (3, 100), (4, double.NaN), (5, 1)]));

        string path = chart.ToSvg().Descendants(Svg + "path").Single(e => (string?)e.Attribute("class") == "line").Attribute("d")!.Value;

        Assert.Equal(3, path.Count(c => c == 'M'));
        Assert.DoesNotContain("NaN", path);
    }

    [Fact]
    public void A_chart_without_points_says_so() =>
        Assert.Contains("nothing to show", new LineChart("c", new Axis("x"), new Axis("y")).Add(new Series("s", [(1, double.NaN)])).ToSvg().Value);

    [Fact]
    public void Saving_replaces_the_file_whole()
    {
        using TemporaryFolder folder = new();
        string path = folder.Put("page.html", [1, 2, 3]);

        new ReportPage("t").Save(path);

        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(path));
        Assert.Equal(["page.html"], folder.Names());
        Assert.Throws<RunFailedException>(() => new ReportPage("t").Save(Path.Combine(path, "below")));
    }

    // After the document type HTML is written so that it is XML too.
    private static XElement Parse(ReportPage page) => XElement.Parse(page.ToHtml()["<!DOCTYPE html>".Length..]);
}
