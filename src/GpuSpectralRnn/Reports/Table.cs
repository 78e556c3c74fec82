using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>
/// Rows of numbers and words, for people (plain text, Markdown, HTML) and for programs (CSV, JSON). Numbers are written with a point as decimal
/// separator everywhere. Null, NaN and infinity are a dash for people, nothing in CSV and null in JSON.
/// </summary>
public sealed class Table
{
    private const string Missing = "–";

    /// <summary>Number of columns that are too wide for a phone.</summary>
    private const int WideColumns = 5;

    private readonly List<object?[]> rows = [];

    /// <summary>An empty table.</summary>
    /// <exception cref="ArgumentException">There is no column, or two have one key.</exception>
    public Table(params ReadOnlySpan<TableColumn> columns)
    {
        Columns = [.. columns];
        if (Columns.Count == 0) throw new ArgumentException("A table has at least one column.", nameof(columns));
        if (Columns.DistinctBy(KeyOf).Count() != Columns.Count) throw new ArgumentException("Two columns have the same key.", nameof(columns));
    }

    /// <summary>Title; empty for none.</summary>
    public string Title { get; init; } = "";

    /// <summary>The columns.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>The rows; each has as many cells as there are columns.</summary>
    public IReadOnlyList<IReadOnlyList<object?>> Rows => rows;

    /// <summary>Adds a row.</summary>
    /// <param name="cells">Words, numbers, truth values or null, one for each column.</param>
    /// <exception cref="ArgumentException">There are fewer or more cells than columns.</exception>
    public Table Add(params ReadOnlySpan<object?> cells)
    {
        if (cells.Length != Columns.Count) throw new ArgumentException($"{cells.Length} cells do not fit {Columns.Count} columns.", nameof(cells));
        rows.Add([.. cells]);
        return this;
    }

    /// <summary>Plain text for the terminal: columns separated by two spaces, numbers right-aligned.</summary>
    public string ToText()
    {
        string[][] cells = [[.. Columns.Select(column => Shown.Line(column.Name))], .. Displayed(Shown.Line)];
        int[] widths = [.. Columns.Select((_, j) => cells.Max(row => Width(row[j])))];
        bool[] isNumber = [.. Columns.Select((_, j) => IsNumeric(j))];
        StringBuilder text = new();
        foreach (string[] row in cells)
        {
            IEnumerable<string> padded = row.Select((cell, j) =>
                isNumber[j] ? new string(' ', widths[j] - Width(cell)) + cell : cell + new string(' ', widths[j] - Width(cell)));
            text.Append(string.Join("  ", padded).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A Markdown table with special characters escaped.</summary>
    public string ToMarkdown()
    {
        StringBuilder text = new();
        Append(Columns.Select(column => Shown.Markdown(column.Name)));
        Append(Columns.Select((_, j) => IsNumeric(j) ? "---:" : "---"));
        foreach (string[] row in Displayed(Shown.Markdown)) Append(row);
        return text.ToString();

        void Append(IEnumerable<string> cells) => text.Append("| ").Append(string.Join(" | ", cells)).Append(" |\n");
    }

    /// <summary>Comma-separated values with a header row (RFC 4180): full precision, lines end with CR LF.</summary>
    public string ToCsv()
    {
        StringBuilder text = new();
        Append(Columns.Select(KeyOf));
        foreach (object?[] row in rows) Append(row.Select(cell => IsMissing(cell) ? "" : Write(cell, null)));
        return text.ToString();

        void Append(IEnumerable<string> fields) => text.Append(string.Join(',', fields.Select(Quote))).Append("\r\n");
    }

    /// <summary>One object per row, its members named by the columns' keys; full precision.</summary>
    public JsonArray ToJson() => new([.. rows.Select(row => new JsonObject(
        row.Select((cell, j) => KeyValuePair.Create(KeyOf(Columns[j]), IsMissing(cell) ? null : JsonValue.Create(cell)?.DeepClone()))))]);

    /// <summary>HTML for a page; scrolls horizontally where it is too wide.</summary>
    internal XElement ToHtml()
    {
        bool[] isNumber = [.. Columns.Select((_, j) => IsNumeric(j))];
        XElement table = new("table");
        table.Add(new XElement("thead", new XElement("tr", Columns.Select((column, j) => Cell("th", j, Shown.Xml(column.Name))))));
        table.Add(new XElement("tbody", Displayed(Shown.Xml).Select(row => new XElement("tr", row.Select((cell, j) => Cell("td", j, cell))))));
        XElement scroll = new("div", new XAttribute("class", "scroll"), new XAttribute("tabindex", 0), table);

        // Outside of what scrolls: a title as wide as the table would be cut.
        XElement? caption = Title.Length == 0 ? null : Paragraph("caption", Shown.Xml(Title));
        XElement? hint = Columns.Count < WideColumns ? null : Paragraph("wide", "The table is wide: scroll it sideways →");
        return caption is null && hint is null ? scroll : new XElement("div", caption, hint, scroll);

        static XElement Paragraph(string name, string text) => new("p", new XAttribute("class", name), text);

        XElement Cell(string tag, int column, string content) => new(tag, isNumber[column] ? new XAttribute("class", "number") : null, content);
    }

    private static string KeyOf(TableColumn column) => column.Key ?? column.Name;

    private static int Width(string cell) => new StringInfo(cell).LengthInTextElements;

    private static bool IsMissing(object? cell) =>
        cell is null || (cell is double x && !double.IsFinite(x)) || (cell is float y && !float.IsFinite(y));

    private static bool IsNumber(object? cell) => cell is double or float or int or long or decimal or short or byte or uint or ulong;

    private static string Write(object? cell, string? format) => cell switch
    {
        bool truth => truth ? "true" : "false",
        IFormattable number => number.ToString(IsNumber(cell) ? format : null, CultureInfo.InvariantCulture),
        _ => cell?.ToString() ?? "",
    };

    private static string Quote(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private bool IsNumeric(int column) =>
        rows.Exists(row => IsNumber(row[column])) && rows.TrueForAll(row => row[column] is null || IsNumber(row[column]));

    private IEnumerable<string[]> Displayed(Func<string, string> escape) =>
        rows.Select(row => row.Select((cell, j) => IsMissing(cell) ? Missing : escape(Write(cell, Columns[j].Format))).ToArray());
}
