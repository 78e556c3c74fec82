using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>A line chart.</summary>
/// <param name="title">Title of the chart.</param>
/// <param name="x">The horizontal axis.</param>
/// <param name="y">The vertical axis.</param>
public sealed class LineChart(string title, Axis x, Axis y) : Chart(title)
{
    private const double Height = 300, Top = 12, Right = 16;

    /// <summary>Distance from the end of a line to its name.</summary>
    private const double LabelGap = 22;

    /// <summary>Largest number of markers along one line.</summary>
    private const int MostMarkers = 16;

    private readonly List<Series> series = [];

    /// <summary>The horizontal axis.</summary>
    public Axis X { get; } = x;

    /// <summary>The vertical axis.</summary>
    public Axis Y { get; } = y;

    /// <summary>A reference level with its name, dashed; null for none.</summary>
    public (string Name, double Value)? Reference { get; init; }

    /// <summary>The lines; the first six are coloured and named where they end, the others are grey.</summary>
    public IReadOnlyList<Series> Series => series;

    /// <summary>Adds a line.</summary>
    public LineChart Add(Series line)
    {
        series.Add(line);
        return this;
    }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Names => [];

    private string Others => string.Join(", ", series.Skip(SeriesStyle.Colours).Select(line => line.Name));

    /// <summary>The chart as a standalone file for light and dark colour schemes: it needs no font, no script and no network.</summary>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <param name="title">Title above it; null for the chart's own.</param>
    public string ToSvgFile(double width = 760, double height = 420, string? title = null)
    {
        const double Head = 34, Leading = 1.3 * FontSize;
        string[] below = Others.Length == 0 ? [] : [.. Wrap($"in grey: {Others}", (int)((width - 2 * FontSize) / (CharacterWidth * FontSize)))];
        double foot = below.Length * Leading;
        XElement svg = Draw(width, height - foot, Head + Top);
        svg.SetAttributeValue("viewBox", $"0 0 {Text(width)} {Text(height)}");
        svg.SetAttributeValue("width", Text(width));
        svg.SetAttributeValue("height", Text(height));
        svg.AddFirst(
            Svg("style").With(ReportStyle.Drawing),
            Svg("rect", ("class", "paper"), ("width", "100%"), ("height", "100%"), ("rx", "6")),
            Svg("text", ("class", "title"), ("x", Text(FontSize)), ("y", "24")).With(Shown.Xml(title ?? Title)));
        for (int i = 0; i < below.Length; i++)
        {
            string at = Text(height - 9 - (below.Length - 1 - i) * Leading);
            svg.Add(Svg("text", ("class", "soft"), ("x", Text(FontSize)), ("y", at)).With(Shown.Xml(below[i])));
        }

        return svg.ToString(SaveOptions.DisableFormatting) + "\n";
    }

    /// <inheritdoc/>
    internal override XElement ToHtml()
    {
        XElement figure = base.ToHtml();
        if (Others.Length > 0) figure.Add(new XElement("p", new XAttribute("class", "others"), Shown.Xml($"In grey: {Others}")));
        return figure;
    }

    /// <inheritdoc/>
    internal override XElement ToSvg() => Draw(Width, Height, Top);

    private XElement Draw(double width, double height, double top)
    {
        IEnumerable<ChartPoint> points = series.SelectMany(line => line.Points).Where(IsShown);
        IEnumerable<double> values = points.SelectMany(p => new[] { p.Y, p.Y - p.Error, p.Y + p.Error });
        if (Reference is { } level) values = values.Append(level.Value);
        AxisScale vertical = AxisScale.Create(Y, values, 7, isRounded: true);
        double left = FontSize * (1.8 + CharacterWidth * vertical.Ticks.Max(tick => tick.Label.Length)) + TickSize;
        IEnumerable<string> labels = Labelled.Select(line => line.Name);
        double longest = labels.Select(name => Shown.Xml(name).Length).DefaultIfEmpty(0).Max();
        double bottom = height - 3.4 * FontSize;
        double right = width - (longest == 0 ? Right : LabelGap + BoldWidth * FontSize * longest + 4);
        AxisScale horizontal = Horizontal(X, points.Select(p => p.X), right - left, isRounded: false);
        Frame frame = new(horizontal, vertical, left, right, top, bottom);
        XElement svg = Svg("svg", ("viewBox", $"0 0 {Text(width)} {Text(height)}"), ("role", "img"), ("aria-label", Shown.Xml(Title)));
        svg.Add(Grid(frame), Titles(frame));
        if (Reference is { } shown && AxisScale.CanShow(Y, shown.Value)) svg.Add(Level(frame, shown.Name, shown.Value));
        for (int i = series.Count - 1; i >= 0; i--) svg.Add(Line(frame, series[i], i)); // grey below, the first on top
        svg.Add(Labels(frame));
        string middle = Text((left + right) / 2);
        if (!points.Any()) svg.Add(Svg("text", ("x", middle), ("y", Text(bottom / 2)), ("class", "middle")).With("nothing to show"));
        return svg;
    }

    private static IEnumerable<XElement> Grid(Frame frame)
    {
        foreach ((double value, string label) in frame.Vertical.Ticks)
        {
            string place = Text(frame.Up(value));
            yield return Svg("path", ("class", "grid"), ("d", $"M{Text(frame.Left)} {place}H{Text(frame.Right)}"));
            yield return Svg("text", ("class", "end"), ("x", Text(frame.Left - TickSize)), ("y", place), ("dy", "0.35em")).With(label);
        }

        foreach ((double value, string label) in frame.Horizontal.Ticks)
        {
            string place = Text(frame.Along(value));
            yield return Svg("path", ("class", "axis"), ("d", $"M{place} {Text(frame.Bottom)}v{Text(TickSize)}"));
            yield return Svg("text", ("class", "middle"), ("x", place), ("y", Text(frame.Bottom + TickSize + FontSize))).With(label);
        }

        string corner = $"M{Text(frame.Left)} {Text(frame.Top)}V{Text(frame.Bottom)}H{Text(frame.Right)}";
        yield return Svg("path", ("class", "axis"), ("d", corner));
    }

    private IEnumerable<XElement> Titles(Frame frame)
    {
        double middle = (frame.Top + frame.Bottom) / 2;
        yield return Svg("text", ("class", "middle"), ("x", Text((frame.Left + frame.Right) / 2)),
            ("y", Text(frame.Bottom + 3.4 * FontSize - 8))).With(Shown.Xml(X.Title));
        string turned = $"translate({Text(FontSize)} {Text(middle)}) rotate(-90)";
        yield return Svg("text", ("class", "middle"), ("transform", turned)).With(Shown.Xml(Y.Title));
    }

    private static IEnumerable<string> Wrap(string text, int most)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + word.Length >= most)
            {
                yield return line;
                line = "";
            }

            line += line.Length == 0 ? word : $" {word}";
        }

        yield return line;
    }

    private static IEnumerable<XElement> Level(Frame frame, string name, double value)
    {
        double at = frame.Up(value);
        yield return Svg("path", ("class", "reference"), ("d", $"M{Text(frame.Left)} {Text(at)}H{Text(frame.Right)}"));
        yield return Svg("text", ("class", "soft"), ("x", Text(frame.Left + 6)), ("y", Text(at - 5))).With(Shown.Xml(name));
    }

    // One line alone needs no name: the title has it.
    private IEnumerable<Series> Labelled => series.Count < 2 ? [] : series.Take(SeriesStyle.Colours);

    // Names beside the ends of their lines, moved apart where they would overlap.
    private IEnumerable<XElement> Labels(Frame frame)
    {
        (int Index, string Name, double X, double Y)[] ends =
        [
            .. Labelled.Select((line, i) => (Line: line, Index: i)).Where(pair => pair.Line.Points.Any(IsShown))
                .Select(pair => (pair.Index, pair.Line.Name, pair.Line.Points.Last(IsShown)))
                .Select(end => (end.Index, end.Name, frame.Along(end.Item3.X), frame.Up(end.Item3.Y)))
                .OrderBy(end => end.Item4),
        ];
        double[] places = new double[ends.Length];
        const double Apart = 1.25 * FontSize;
        for (int i = 0; i < ends.Length; i++) places[i] = i == 0 ? ends[i].Y : Math.Max(ends[i].Y, places[i - 1] + Apart);
        for (int i = ends.Length - 1; i >= 0; i--)
            places[i] = Math.Min(places[i], i == ends.Length - 1 ? frame.Bottom - 4 : places[i + 1] - Apart);
        for (int i = 0; i < ends.Length; i++)
        {
            (int index, string name, double x, double y) = ends[i];
            string leader = $"M{Text(x + 6)} {Text(y)}L{Text(frame.Right + LabelGap - 4)} {Text(places[i])}";
            yield return Svg("g", ("class", SeriesStyle.Class(index))).With(
                Svg("path", ("class", "leader"), ("d", leader)),
                Svg("text", ("class", "label"), ("x", Text(frame.Right + LabelGap)), ("y", Text(places[i])), ("dy", "0.35em")).With(Shown.Xml(name)));
        }
    }

    private XElement Line(Frame frame, Series line, int index)
    {
        XElement group = Svg("g", ("class", SeriesStyle.Class(index)));
        StringBuilder path = new(), bars = new();
        bool isDown = false;
        foreach (ChartPoint point in line.Points)
        {
            if (!IsShown(point))
            {
                isDown = false;
                continue;
            }

            string place = Text(frame.Along(point.X));
            path.Append(isDown ? 'L' : 'M').Append(place).Append(' ').Append(Text(frame.Up(point.Y)));
            isDown = true;
            if (!(point.Error > 0)) continue;
            double low = frame.Up(AxisScale.CanShow(Y, point.Y - point.Error) ? point.Y - point.Error : frame.Vertical.Least);
            bars.Append(CultureInfo.InvariantCulture, $"M{place} {Text(low)}V{Text(frame.Up(point.Y + point.Error))}");
            bars.Append(CultureInfo.InvariantCulture, $"m-3 0h6M{place} {Text(low)}m-3 0h6");
        }

        if (path.Length > 0) group.Add(Svg("path", ("class", "line"), ("d", path.ToString())));
        if (bars.Length > 0) group.Add(Svg("path", ("class", "bars"), ("d", bars.ToString())));
        int every = Math.Max(1, (int)Math.Ceiling((double)line.Points.Count / MostMarkers));
        int first = every * index / Math.Max(1, series.Count); // so that lines which coincide show the markers of both
        for (int i = first; i < line.Points.Count; i += every)
        {
            ChartPoint point = line.Points[i];
            if (!IsShown(point)) continue;
            string error = point.Error > 0 ? FormattableString.Invariant($" ± {point.Error:g4}") : "";
            string hint = FormattableString.Invariant($"{line.Name}: {point.X:g6}, {point.Y:g6}{error}");
            group.Add(SeriesStyle.Marker(index, frame.Along(point.X), frame.Up(point.Y)).With(Svg("title").With(Shown.Xml(hint))));
        }

        return group;
    }

    private bool IsShown(ChartPoint point) => AxisScale.CanShow(X, point.X) && AxisScale.CanShow(Y, point.Y);

    private readonly record struct Frame(AxisScale Horizontal, AxisScale Vertical, double Left, double Right, double Top, double Bottom)
    {
        public double Along(double value) => Left + (Right - Left) * Horizontal.Place(value);

        public double Up(double value) => Bottom - (Bottom - Top) * Vertical.Place(value);
    }
}
