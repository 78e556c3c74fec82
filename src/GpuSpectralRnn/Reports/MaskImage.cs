using System.Xml.Linq;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Reports;

/// <summary>
/// A mask as an image: a cell for every weight, dark where it is kept; of large ones a cell for a square of weights, as dark as it is dense.
/// </summary>
/// <param name="title">Title of the chart.</param>
/// <param name="mask">Nonzero where a weight is kept, [rows, columns].</param>
public sealed class MaskImage(string title, Matrix mask) : Chart(title)
{
    /// <summary>Most cells on a side.</summary>
    private const int MostCells = 128;

    /// <summary>Levels of darkness, each one path.</summary>
    private const int Levels = 8;

    /// <inheritdoc/>
    private protected override IEnumerable<string> Names => [];

    /// <summary>The share of weights that each cell keeps.</summary>
    internal Matrix Cells()
    {
        int side = Math.Max(1, (Math.Max(mask.Rows, mask.Columns) + MostCells - 1) / MostCells);
        Matrix cells = new((mask.Rows + side - 1) / side, (mask.Columns + side - 1) / side);
        for (int i = 0; i < mask.Rows; i++)
            for (int j = 0; j < mask.Columns; j++)
                if (mask[i, j] != 0) cells[i / side, j / side]++;
        for (int i = 0; i < cells.Rows; i++)
            for (int j = 0; j < cells.Columns; j++)
                cells[i, j] /= (double)(Math.Min(mask.Rows, (i + 1) * side) - (i * side)) * (Math.Min(mask.Columns, (j + 1) * side) - (j * side));
        return cells;
    }

    /// <inheritdoc/>
    internal override XElement ToSvg()
    {
        Matrix cells = Cells();
        double size = Width / Math.Max(cells.Rows, cells.Columns), height = size * cells.Rows, width = size * cells.Columns;
        XElement svg = Svg("svg", ("viewBox", $"0 0 {Text(Width)} {Text(height)}"), ("role", "img"), ("aria-label", Shown.Xml(Title)),
            ("class", SeriesStyle.Class(0)));
        for (int level = 1; level <= Levels; level++)
        {
            System.Text.StringBuilder path = new();
            for (int i = 0; i < cells.Rows; i++)
            {
                for (int j = 0; j < cells.Columns; j++)
                {
                    if (cells[i, j] == 0 || Math.Max(1, (int)Math.Round(cells[i, j] * Levels)) != level) continue;
                    int run = j;
                    while (run + 1 < cells.Columns && cells[i, run + 1] != 0
                        && Math.Max(1, (int)Math.Round(cells[i, run + 1] * Levels)) == level) run++;
                    path.Append($"M{Text(j * size)} {Text(i * size)}h{Text((run - j + 1) * size)}v{Text(size)}h{Text(-(run - j + 1) * size)}z");
                    j = run;
                }
            }

            if (path.Length > 0)
                svg.Add(Svg("path", ("style", "fill: currentColor"), ("opacity", Text((double)level / Levels)), ("d", path.ToString())));
        }

        svg.Add(Svg("path", ("class", "axis"), ("d", $"M0 0h{Text(width)}v{Text(height)}h{Text(-width)}z")));
        return svg;
    }
}
