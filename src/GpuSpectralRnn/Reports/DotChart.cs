using System.Globalization;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>A value of one row of a <see cref="DotChart"/>.</summary>
/// <param name="Value">Position of the dot; no dot is drawn where it is not finite.</param>
/// <param name="Error">Half the length of its error bar; 0 for none.</param>
public readonly record struct Dot(double Value, double Error = 0);

/// <summary>A dot plot: named rows, with a dot for each of their values. Unlike bars, dots need no axis from zero.</summary>
/// <param name="title">Title of the chart.</param>
/// <param name="values">The horizontal axis of the values.</param>
/// <param name="kinds">Names of the values of a row, for the legend.</param>
public sealed class DotChart(string title, Axis values, params IReadOnlyList<string> kinds) : Chart(title)
{
    private const double RowHeight = 22, Top = 6, Right = 22;

    private readonly List<(string Name, IReadOnlyList<Dot> Dots)> rows = [];

    /// <summary>The rows from top to bottom.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<Dot> Dots)> Rows => rows;

    /// <summary>The axis of the values.</summary>
    public Axis Values { get; } = values;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Names => kinds;

    /// <summary>Adds a row.</summary>
    /// <param name="name">Label to the left of the row.</param>
    /// <param name="dots">One dot for each kind.</param>
    /// <exception cref="ArgumentException">There are fewer or more dots than kinds.</exception>
    public DotChart Add(string name, params IReadOnlyList<Dot> dots)
    {
        if (dots.Count != kinds.Count) throw new ArgumentException($"{dots.Count} dots do not fit {kinds.Count} kinds.", nameof(dots));
        rows.Add((name, dots));
        return this;
    }

    /// <inheritdoc/>
    internal override XElement ToSvg()
    {
        double left = FontSize * (0.5 + CharacterWidth * (rows.Count == 0 ? 0 : rows.Max(row => Shown.Xml(row.Name).Length))) + TickSize;
        double bottom = Top + RowHeight * Math.Max(1, rows.Count), right = Width - Right, height = bottom + 3.4 * FontSize;
        IEnumerable<double> shown = rows.SelectMany(row => row.Dots)
            .SelectMany(dot => new[] { dot.Value, dot.Value - dot.Error, dot.Value + dot.Error }).Where(value => AxisScale.CanShow(Values, value));
        AxisScale scale = Horizontal(Values, shown, right - left, isRounded: true);
        double Along(double value) => left + (right - left) * scale.Place(value);

        XElement svg = Svg("svg", ("viewBox", $"0 0 {Text(Width)} {Text(height)}"), ("role", "img"), ("aria-label", Shown.Xml(Title)));
        foreach ((double value, string label) in scale.Ticks)
        {
            string place = Text(Along(value));
            svg.Add(Svg("path", ("class", "grid"), ("d", $"M{place} {Text(Top)}V{Text(bottom)}")));
            svg.Add(Svg("text", ("class", "middle"), ("x", place), ("y", Text(bottom + TickSize + FontSize))).With(label));
        }

        svg.Add(Svg("path", ("class", "axis"), ("d", $"M{Text(left)} {Text(Top)}V{Text(bottom)}H{Text(right)}")));
        svg.Add(Svg("text", ("class", "middle"), ("x", Text((left + right) / 2)), ("y", Text(height - 8))).With(Shown.Xml(Values.Title)));
        for (int i = 0; i < rows.Count; i++) AddRow(svg, rows[i].Name, rows[i].Dots, Top + RowHeight * (i + 0.5), left, Along);
        return svg;
    }

    private void AddRow(XElement svg, string name, IReadOnlyList<Dot> dots, double at, double left, Func<double, double> along)
    {
        string height = Text(at);
        svg.Add(Svg("text", ("class", "end"), ("x", Text(left - TickSize)), ("y", height), ("dy", "0.35em")).With(Shown.Xml(name)));
        double[] places = [.. dots.Where(dot => AxisScale.CanShow(Values, dot.Value)).Select(dot => along(dot.Value))];
        if (places.Length > 1) svg.Add(Svg("path", ("class", "axis"), ("d", $"M{Text(places.Min())} {height}H{Text(places.Max())}")));
        for (int kind = 0; kind < dots.Count; kind++)
        {
            Dot dot = dots[kind];
            if (!AxisScale.CanShow(Values, dot.Value)) continue;
            XElement group = Svg("g", ("class", SeriesStyle.Class(kind)));
            if (dot.Error > 0)
            {
                double least = dot.Value - dot.Error, high = along(dot.Value + dot.Error),
                    low = AxisScale.CanShow(Values, least) ? along(least) : left;
                group.Add(Svg("path", ("class", "bars"), ("d", $"M{Text(low)} {height}H{Text(high)}m0-3v6M{Text(low)} {height}m0-3v6")));
            }

            string error = dot.Error > 0 ? FormattableString.Invariant($" ± {dot.Error:g4}") : "";
            string hint = string.Create(CultureInfo.InvariantCulture, $"{name}, {kinds[kind]}: {dot.Value:g6}{error}");
            svg.Add(group.With(SeriesStyle.Marker(kind, along(dot.Value), at).With(Svg("title").With(Shown.Xml(hint)))));
        }
    }
}
