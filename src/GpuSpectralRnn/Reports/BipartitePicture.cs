using System.Xml.Linq;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Reports;

/// <summary>A small bipartite graph: inputs as dots on the left, outputs on the right, a line for every edge.</summary>
/// <param name="title">Title of the chart.</param>
/// <param name="mask">Nonzero where there is an edge, [outputs, inputs].</param>
public sealed class BipartitePicture(string title, Matrix mask) : Chart(title)
{
    /// <summary>The most nodes on a side of which a picture tells something.</summary>
    public const int MostNodes = 40;

    private const double Spacing = 14, Margin = 30;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Names => [];

    /// <inheritdoc/>
    internal override XElement ToSvg()
    {
        int most = Math.Max(1, Math.Max(mask.Rows, mask.Columns));
        double height = Spacing * (most + 1);
        double Place(int index, int count) => height * (index + 1) / (count + 1);
        XElement svg = Svg("svg", ("viewBox", $"0 0 {Text(Width)} {Text(height)}"), ("role", "img"), ("aria-label", Shown.Xml(Title)));
        XElement edges = Svg("g", ("class", SeriesStyle.Class(0)), ("opacity", "0.5"));
        for (int i = 0; i < mask.Rows; i++)
            for (int j = 0; j < mask.Columns; j++)
                if (mask[i, j] != 0)
                    edges.Add(Svg("path", ("class", "bars"),
                        ("d", $"M{Text(Margin)} {Text(Place(j, mask.Columns))}L{Text(Width - Margin)} {Text(Place(i, mask.Rows))}")));
        svg.Add(edges);
        foreach ((int count, double x, int kind) in (ReadOnlySpan<(int, double, int)>)[(mask.Columns, Margin, 0), (mask.Rows, Width - Margin, 1)])
        {
            XElement nodes = Svg("g", ("class", SeriesStyle.Class(kind)));
            for (int i = 0; i < count; i++) nodes.Add(SeriesStyle.Marker(kind, x, Place(i, count)));
            svg.Add(nodes);
        }

        svg.Add(Svg("text", ("x", "2"), ("y", Text(FontSize)), ("class", "soft")).With("inputs"));
        svg.Add(Svg("text", ("x", Text(Width - 2)), ("y", Text(FontSize)), ("class", "end soft")).With("outputs"));
        return svg;
    }
}
