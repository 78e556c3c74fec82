using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>Lines over two axes.</summary>
/// <param name="title">What the chart shows.</param>
/// <param name="x">The axis to the right.</param>
/// <param name="y">The axis upwards.</param>
public sealed class LineChart(string title, Axis x, Axis y) : Chart(title)
{
    private const double Height = 300, Top = 12, Right = 16;

    /// <summary>More markers than this along one line hide it.</summary>
    private const int MostMarkers = 16;

    private readonly List<Series> series = [];

    /// <summary>The axis to the right.</summary>
    public Axis X { get; } = x;

    /// <summary>The axis upwards.</summary>
    public Axis Y { get; } = y;

    /// <summary>The lines.</summary>
    public IReadOnlyList<Series> Series => series;

    /// <summary>Adds a line.</summary>
    public LineChart Add(Series line)
    {
        series.Add(line);
        return this;
    }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Names => series.Select(line => line.Name);

    /// <inheritdoc/>
    internal override XElement ToSvg()
    {
        IEnumerable<ChartPoint> points = series.SelectMany(line => line.Points).Where(IsShown);
        AxisScale vertical = AxisScale.Of(Y, points.SelectMany(p => new[] { p.Y, p.Y - p.Error, p.Y + p.Error }), 7, isRounded: true);
        double left = FontSize * (1.8 + CharacterWidth * vertical.Ticks.Max(tick => tick.Label.Length)) + TickSize;
        double bottom = Height - 3.4 * FontSize, right = Width - Right;
        AxisScale horizontal = Horizontal(X, points.Select(p => p.X), right - left, isRounded: false);
        Frame frame = new(horizontal, vertical, left, right, Top, bottom);
        XElement svg = Svg("svg", ("viewBox", $"0 0 {Text(Width)} {Text(Height)}"), ("role", "img"), ("aria-label", Shown.Xml(Title)));
        svg.Add(Grid(frame), Titles(frame));
        for (int i = 0; i < series.Count; i++) svg.Add(Line(frame, series[i], i));
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
        yield return Svg("text", ("class", "middle"), ("x", Text((frame.Left + frame.Right) / 2)), ("y", Text(Height - 8))).With(Shown.Xml(X.Title));
        string turned = $"translate({Text(FontSize)} {Text(middle)}) rotate(-90)";
        yield return Svg("text", ("class", "middle"), ("transform", turned)).With(Shown.Xml(Y.Title));
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
