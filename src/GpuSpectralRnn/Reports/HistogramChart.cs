using System.Globalization;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>How often values fall into intervals of one width, from zero to the largest; a reference value as a dashed line.</summary>
/// <param name="title">Title of the chart.</param>
/// <param name="axis">The axis of the values.</param>
/// <param name="values">Zero or more, finite.</param>
public sealed class HistogramChart(string title, Axis axis, IReadOnlyList<double> values) : Chart(title)
{
    private const double Height = 240, Top = 12, Right = 16;

    /// <summary>Intervals.</summary>
    private const int Bins = 40;

    /// <summary>A value with its name, dashed; null for none.</summary>
    public (string Name, double Value)? Reference { get; init; }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Names => [];

    /// <summary>The number of values in each interval, and the intervals' width.</summary>
    internal (int[] Counts, double Width) Count()
    {
        double largest = values.Append(Reference?.Value ?? 0).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        double width = largest > 0 ? largest / Bins * (1 + 1e-9) : 1.0 / Bins;
        int[] counts = new int[Bins];
        foreach (double value in values) counts[Math.Clamp((int)(value / width), 0, Bins - 1)]++;
        return (counts, width);
    }

    /// <inheritdoc/>
    internal override XElement ToSvg()
    {
        (int[] counts, double width) = Count();
        double bottom = Height - (3.4 * FontSize), right = Width - Right;
        AxisScale vertical = AxisScale.Create(new Axis("singular values"), counts.Select(count => (double)count).Append(0), 5, isRounded: true);
        double left = (FontSize * (1.8 + (CharacterWidth * vertical.Ticks.Max(tick => tick.Label.Length)))) + TickSize;
        AxisScale horizontal = Horizontal(axis, [0, width * Bins], right - left, isRounded: false);
        double Along(double value) => left + ((right - left) * horizontal.Place(value));
        double Up(double count) => bottom - ((bottom - Top) * vertical.Place(count));

        XElement svg = Svg("svg", ("viewBox", $"0 0 {Text(Width)} {Text(Height)}"), ("role", "img"), ("aria-label", Shown.Xml(Title)));
        foreach ((double value, string label) in vertical.Ticks)
        {
            svg.Add(Svg("path", ("class", "grid"), ("d", $"M{Text(left)} {Text(Up(value))}H{Text(right)}")));
            svg.Add(Svg("text", ("class", "end"), ("x", Text(left - TickSize)), ("y", Text(Up(value))), ("dy", "0.35em")).With(label));
        }

        XElement bars = Svg("g", ("class", SeriesStyle.Class(0)));
        for (int i = 0; i < Bins; i++)
        {
            if (counts[i] == 0) continue;
            (double from, double to) = (Along(i * width), Along((i + 1) * width));
            string hint = string.Create(CultureInfo.InvariantCulture, $"{counts[i]} from {i * width:g4} to {(i + 1) * width:g4}");
            bars.Add(Svg("rect", ("fill", "currentColor"), ("x", Text(from)), ("y", Text(Up(counts[i]))), ("width", Text(Math.Max(1, to - from - 1))),
                ("height", Text(bottom - Up(counts[i])))).With(Svg("title").With(hint)));
        }

        svg.Add(bars);
        foreach ((double value, string label) in horizontal.Ticks)
            svg.Add(Svg("text", ("class", "middle"), ("x", Text(Along(value))), ("y", Text(bottom + TickSize + FontSize))).With(label));
        svg.Add(Svg("path", ("class", "axis"), ("d", $"M{Text(left)} {Text(Top)}V{Text(bottom)}H{Text(right)}")));
        svg.Add(Svg("text", ("class", "middle"), ("x", Text((left + right) / 2)), ("y", Text(Height - 8))).With(Shown.Xml(axis.Title)));
        if (Reference is { } mark && double.IsFinite(mark.Value))
        {
            string place = Text(Along(mark.Value));
            svg.Add(Svg("path", ("class", "reference"), ("d", $"M{place} {Text(Top)}V{Text(bottom)}")));
            svg.Add(Svg("text", ("class", "end soft"), ("x", Text(Along(mark.Value) - 4)), ("y", Text(Top + FontSize))).With(Shown.Xml(mark.Name)));
        }

        return svg;
    }
}
