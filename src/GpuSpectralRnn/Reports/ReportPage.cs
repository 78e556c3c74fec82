using System.Globalization;
using System.Reflection;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Reports;

/// <summary>
/// A self-contained HTML page: style and drawings are inline, without scripts or external resources. For light and dark colour schemes, wide screens
/// and phones. All text is escaped.
/// </summary>
/// <param name="title">The page's heading.</param>
public sealed class ReportPage(string title)
{
    private readonly List<XElement> content = [];

    /// <summary>The command that made the page; empty for none.</summary>
    public string Command { get; init; } = "";

    /// <summary>The device of the computation, for example <c>host (4 threads)</c>; empty for none.</summary>
    public string Device { get; init; } = "";

    /// <summary>Date and time of the report.</summary>
    public DateTimeOffset Date { get; init; } = DateTimeOffset.Now;

    /// <summary>Adds a heading.</summary>
    public ReportPage AddHeading(string text) => Add(new XElement("h2", Shown.Xml(text)));

    /// <summary>Adds the main result in large letters, and named findings below it.</summary>
    public ReportPage AddAnswer(string answer, params IReadOnlyList<(string Name, string Text)> findings)
    {
        Add(new XElement("p", new XAttribute("class", "answer"), Shown.Xml(answer)));
        return findings.Count == 0 ? this : Add(new XElement("dl", new XAttribute("class", "findings"), findings.Select(finding => new[]
        {
            new XElement("dt", Shown.Xml(finding.Name)),
            new XElement("dd", finding.Name == "next" ? new XElement("code", Shown.Xml(finding.Text)) : Shown.Xml(finding.Text)),
        })));
    }

    /// <summary>Adds a paragraph.</summary>
    public ReportPage AddText(string text) => Add(new XElement("p", Shown.Xml(text)));

    /// <summary>Adds a table.</summary>
    public ReportPage Add(Table table) => Add(table.ToHtml());

    /// <summary>Adds a chart; charts that follow each other stand side by side where there is room.</summary>
    public ReportPage Add(Chart chart)
    {
        if (content.Count == 0 || content[^1].Attribute("class")?.Value != "charts") Add(new XElement("div", new XAttribute("class", "charts")));
        content[^1].Add(chart.ToHtml());
        return this;
    }

    /// <summary>The page as HTML.</summary>
    public string ToHtml()
    {
        XElement head = new(
            "head",
            new XElement("meta", new XAttribute("charset", "utf-8")),
            new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
            new XElement("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),
            new XElement("title", Shown.Xml(title)),
            new XElement("style", ReportStyle.Sheet));
        XElement body = new("body", new XElement("main", new XElement("h1", Shown.Xml(title)), content), Origin());
        XElement page = new("html", new XAttribute("lang", "en"), head, body);
        StringBuilder text = new("<!DOCTYPE html>\n");
        XmlWriterSettings settings = new() { OmitXmlDeclaration = true, Indent = false, NewLineHandling = NewLineHandling.None };
        using (XmlWriter writer = XmlWriter.Create(text, settings)) page.Save(writer);
        return text.Append('\n').ToString();
    }

    /// <summary>Writes the page to a file, atomically.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Save(string path)
    {
        byte[] bytes = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(ToHtml());
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    private ReportPage Add(XElement element)
    {
        content.Add(element);
        return this;
    }

    private XElement Origin()
    {
        string version =
            typeof(ReportPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
        XElement list = new("dl");
        foreach ((string name, string value) in (ReadOnlySpan<(string, string)>)
        [
            ("command", Command), ("device", Device), ("date", Date.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture)),
            ("version", $"GpuSpectralRnn {version}"),
        ])
        {
            if (value.Length == 0) continue;
            object shown = name == "command" ? new XElement("code", Shown.Xml(value)) : Shown.Xml(value);
            list.Add(new XElement("dt", name), new XElement("dd", shown));
        }

        return new XElement("footer", list);
    }
}
