using System.Globalization;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>A drawing as SVG with an HTML legend below it that wraps. Colours come from the page's style sheet, light or dark.</summary>
/// <param name="title">Title of the chart.</param>
public abstract class Chart(string title)
{
    /// <summary>Font size, in the drawing's units.</summary>
    private protected const double FontSize = 13;

    /// <summary>Mean width of a character relative to the font size; an upper estimate for digits.</summary>
    private protected const double CharacterWidth = 0.6;

    /// <summary>The same for bold text.</summary>
    private protected const double BoldWidth = 0.72;

    /// <summary>Width of the drawing, which a page scales down where it does not fit.</summary>
    private protected const double Width = 460;

    /// <summary>Length of a tick.</summary>
    private protected const double TickSize = 5;

    /// <summary>Title of the chart.</summary>
    public string Title { get; } = title;

    /// <summary>Names in the legend, told apart by colour and marker; those drawn in grey included.</summary>
    private protected abstract IEnumerable<string> Names { get; }

    /// <summary>The drawing with its title and, where there are two names or more, its legend.</summary>
    internal virtual XElement ToHtml()
    {
        XElement figure = new("figure", new XElement("figcaption", Shown.Xml(Title)), ToSvg());
        if (Names.Count() > 1)
        {
            figure.Add(new XElement("ul", new XAttribute("class", "legend"), Names.Select((name, i) => new XElement(
                "li",
                Svg("svg", ("viewBox", "0 0 28 12"), ("aria-hidden", "true"), ("class", SeriesStyle.Class(i))).With(
                    Svg("path", ("class", "line"), ("d", "M1 6H27")),
                    SeriesStyle.Marker(i, 14, 6)),
                Shown.Xml(name)))));
        }

        return figure;
    }

    /// <summary>The drawing alone.</summary>
    internal abstract XElement ToSvg();

    /// <summary>A horizontal axis with as many ticks as their labels leave room for.</summary>
    private protected static AxisScale Horizontal(Axis axis, IEnumerable<double> values, double width, bool isRounded)
    {
        for (int ticks = 9; ; ticks--)
        {
            AxisScale scale = AxisScale.Create(axis, values, ticks, isRounded);
            double widest = scale.Ticks.Count == 0 ? 0 : scale.Ticks.Max(tick => tick.Label.Length) * CharacterWidth * FontSize;
            bool isCrowded = scale.Ticks.Zip(scale.Ticks.Skip(1))
                .Any(pair => (scale.Place(pair.Second.Value) - scale.Place(pair.First.Value)) * width < widest + FontSize);
            if (!isCrowded || ticks == 2) return scale;
        }
    }

    private protected static string Text(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);

    private protected static XElement Svg(string tag, params ReadOnlySpan<(string Name, string Value)> attributes) =>
        SeriesStyle.Svg(tag, attributes);
}
