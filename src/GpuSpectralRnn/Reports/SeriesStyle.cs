using System.Globalization;
using System.Xml.Linq;

namespace GpuSpectralRnn.Reports;

/// <summary>
/// Distinguishes the lines of a chart by colour (the page's style sheet) and, for readers who cannot tell colours apart, by the shape of the markers.
/// </summary>
internal static class SeriesStyle
{
    /// <summary>Number of colours in the style sheet, c0 to c5; further lines are grey, because more cannot be told apart.</summary>
    public const int Colours = 6;

    private static readonly XNamespace Space = "http://www.w3.org/2000/svg";

    // Around the origin, about 4 in radius.
    private static readonly string[] Shapes =
    [
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", // circle
        "m-3.5-3.5h7v7h-7z", // square
        "m0-4.5l4.2 7.5h-8.4z", // triangle
        "m0-5l4.5 5l-4.5 5l-4.5-5z", // diamond
        "m-4.2-3h8.4l-4.2 7.5z", // triangle, point down
        "m-1.4-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z", // plus
        "m0-4.6l4.4 3.2l-1.7 5.2h-5.4l-1.7-5.2z", // pentagon
    ];

    /// <summary>The class of line <paramref name="index"/>.</summary>
    public static string Class(int index) => index < Colours ? $"c{index}" : "rest";

    /// <summary>The marker of line <paramref name="index"/> at a place; each coloured line has a shape of its own.</summary>
    public static XElement Marker(int index, double x, double y) =>
        Svg("path", ("class", "marker"), ("d", string.Create(CultureInfo.InvariantCulture, $"M{x:0.##} {y:0.##}{Shapes[index % Shapes.Length]}")));

    /// <summary>An SVG element.</summary>
    public static XElement Svg(string tag, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        XElement element = new(Space + tag);
        foreach ((string name, string value) in attributes) element.SetAttributeValue(name, value);
        return element;
    }

    /// <summary>Adds content.</summary>
    public static XElement With(this XElement element, params ReadOnlySpan<object?> content)
    {
        foreach (object? part in content) element.Add(part);
        return element;
    }
}
