using System.Globalization;
using GpuSpectralRnn.Formats;
using nietras.SeparatedValues;

namespace GpuSpectralRnn.Signals.Series;

/// <summary>How a file of separated values is written.</summary>
/// <param name="Separator">What stands between cells; null: the one of comma, semicolon, tabulator and bar that its first line has.</param>
/// <param name="HasHeader">Whether the first line names the columns; null: it does where none of its cells is a number.</param>
/// <param name="TimeColumn">The column of times or dates, which must not go backwards; null: the first that begins with a date, if there is
/// one.</param>
public sealed record SeriesFormat(char? Separator = null, bool? HasHeader = null, string? TimeColumn = null);

/// <summary>
/// The numeric columns of a CSV file (RFC 4180; UTF-8, plain or gzip-compressed), read strictly: each line has as many cells as the first, each cell
/// of a column that is used is a number with a decimal point, or a gap (empty, NA, N/A, NaN, null, None, - or ?). Blank lines are passed over.
/// </summary>
public sealed class SeriesTable
{
    private static readonly string[] Gaps = ["", "na", "n/a", "nan", "null", "none", "-", "?"];

    private readonly string path;
    private readonly List<int> lines = [];
    private readonly List<List<double>> columns = [];

    private SeriesTable(string path) => this.path = path;

    /// <summary>The names of the columns that were read, in the file's order.</summary>
    public IReadOnlyList<string> Names { get; private set; } = [];

    /// <summary>The name of the column of times; null where there is none.</summary>
    public string? TimeColumn { get; private set; }

    /// <summary>What stands in the column of times; empty without.</summary>
    public IReadOnlyList<string> Times => times;

    /// <summary>Number of rows.</summary>
    public int Rows => lines.Count;

    private readonly List<string> times = [];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">How it is written.</param>
    /// <param name="columns">The columns to read; null: all but that of times.</param>
    /// <exception cref="InvalidCallException">The file or a column does not exist, or a cell of a column that is read is no number; the message has
    /// line and column.</exception>
    /// <exception cref="BrokenFileException">A line has other cells than the first, the file is empty, or time goes backwards.</exception>
    public static SeriesTable Read(string path, SeriesFormat format, IReadOnlyList<string>? columns = null)
    {
        byte[] content = InputFile.ReadUnpacked(path, "CSV file");
        if (content.AsSpan().IndexOf((byte)0) >= 0)
            throw new BrokenFileException(path, "it holds zero bytes; not a text of separated values in UTF-8.");
        SeriesTable table = new(path);
        try
        {
            using MemoryStream stream = new(content, writable: false);
            using SepReader reader = (format.Separator is { } separator ? Sep.New(separator).Reader(Configure) : Sep.Reader(Configure)).From(stream);
            table.Fill(reader, format, columns);
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or IOException or ArgumentException or KeyNotFoundException)
        {
            throw new BrokenFileException(
                path, "it cannot be read as separated values: a quote is not closed, or a line is longer than 16 million characters.", e);
        }

        return table;
    }

    /// <summary>A column, NaN where there is a gap.</summary>
    /// <exception cref="InvalidCallException">There is no such column.</exception>
    public IReadOnlyList<double> Column(string name)
    {
        int at = IndexOf(Names, name);
        return at >= 0 ? columns[at] : throw Absent(name, Names);
    }

    /// <summary>The line of the file on which a row begins, counted from 1.</summary>
    public int LineOf(int row) => lines[row];

    /// <summary>The error for a gap.</summary>
    internal InvalidCallException Gap(string name, int row) => new(
        $"{path}, line {lines[row]}, column '{ForeignText.Show(name)}': a gap. Fill it in the file, or say how with `Missing`.");

    private static SepReaderOptions Configure(SepReaderOptions options) => options with
    {
        HasHeader = false, Unescape = true, DisableColCountCheck = true, Trim = SepTrim.All, CultureInfo = CultureInfo.InvariantCulture,
    };

    private static bool IsGap(string cell) => Gaps.Contains(cell, StringComparer.OrdinalIgnoreCase);

    private static bool IsNumber(string cell, out double value) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static bool IsDate(string cell, out DateTime date) =>
        DateTime.TryParse(cell, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out date);

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] == name) return i;
        }

        return -1;
    }

    private InvalidCallException Absent(string name, IReadOnlyList<string> known) => new(
        $"{path} has no column '{ForeignText.Show(name)}'; it has {string.Join(", ", known.Take(40).Select(ForeignText.Show))}.");

    private void Fill(SepReader reader, SeriesFormat format, IReadOnlyList<string>? wanted)
    {
        string[]? names = null;
        int[] places = [];
        int time = -1;
        double before = double.NegativeInfinity;
        foreach (SepReader.Row row in reader)
        {
            if (row.ColCount <= 1 && (row.ColCount == 0 || row[0].Span.IsWhiteSpace())) continue;
            if (names is null)
            {
                string[] first = Cells(row);
                bool isHeader = format.HasHeader ?? (first.All(cell => !IsNumber(cell, out _)) && first.Any(cell => !IsGap(cell)));
                names = isHeader ? first : [.. Enumerable.Range(1, first.Length).Select(i => i.ToString(CultureInfo.InvariantCulture))];
                CheckNames(names);
                if (isHeader) continue;
            }

            if (row.ColCount != names.Length)
                throw new BrokenFileException(path, $"line {row.LineNumberFrom} has {row.ColCount} cells, the first line {names.Length}; mend it.");
            if (lines.Count == 0) (time, places) = Choose(names, row, format.TimeColumn, wanted);
            lines.Add(row.LineNumberFrom);
            for (int i = 0; i < places.Length; i++) columns[i].Add(Parse(row[places[i]].ToString(), row.LineNumberFrom, Names[i]));
            if (time >= 0) before = AddTime(row[time].ToString(), row.LineNumberFrom, before);
        }

        if (lines.Count == 0) throw new BrokenFileException(path, "it holds no rows of numbers.");
    }

    private static string[] Cells(SepReader.Row row)
    {
        string[] cells = new string[row.ColCount];
        for (int i = 0; i < cells.Length; i++) cells[i] = row[i].ToString();
        return cells;
    }

    private void CheckNames(string[] names)
    {
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new BrokenFileException(
                path, $"its first line names the column '{ForeignText.Show(twice.Key)}' twice; give each a name of its own.");
    }

    private (int Time, int[] Places) Choose(string[] names, SepReader.Row row, string? asked, IReadOnlyList<string>? wanted)
    {
        int time = -1;
        if (asked is not null)
        {
            time = IndexOf(names, asked);
            if (time < 0) throw Absent(asked, names);
        }
        else
        {
            string[] cells = Cells(row);
            time = Array.FindIndex(cells, cell => !IsNumber(cell, out _) && !IsGap(cell) && IsDate(cell, out _));
            if (time >= 0 && wanted?.Contains(names[time]) == true) time = -1;
        }

        string[] read = [.. wanted ?? names.Where((_, i) => i != time)];
        int[] places = [.. read.Select(name => IndexOf(names, name))];
        int absent = Array.IndexOf(places, -1);
        if (absent >= 0) throw Absent(read[absent], names);
        (Names, TimeColumn) = (read, time < 0 ? null : names[time]);
        columns.AddRange(read.Select(_ => new List<double>()));
        return (time, places);
    }

    private double Parse(string cell, int line, string name)
    {
        if (IsNumber(cell, out double value)) return value;
        if (IsGap(cell)) return double.NaN;
        throw new InvalidCallException(
            $"{path}, line {line}, column '{ForeignText.Show(name)}': '{ForeignText.Show(cell)}' is no number" +
            $"{(cell.Contains(',') ? " (decimal points are read)" : "")}. Mend it, or name the columns to read with `Columns`.");
    }

    private double AddTime(string cell, int line, double before)
    {
        double now = IsNumber(cell, out double number) ? number
            : IsDate(cell, out DateTime date) ? date.Ticks
            : throw new InvalidCallException(
                $"{path}, line {line}, column '{ForeignText.Show(TimeColumn!)}': '{ForeignText.Show(cell)}' is neither a date nor a number.");
        if (now < before)
            throw new BrokenFileException(path, $"time goes backwards at line {line} ('{ForeignText.Show(cell)}'); sort the rows by time.");
        times.Add(cell);
        return now;
    }
}
