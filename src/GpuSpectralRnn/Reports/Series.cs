namespace GpuSpectralRnn.Reports;

/// <summary>A point of a chart.</summary>
/// <param name="X">Horizontal coordinate.</param>
/// <param name="Y">Vertical coordinate.</param>
/// <param name="Error">Half the length of an error bar; 0 for none.</param>
public readonly record struct ChartPoint(double X, double Y, double Error = 0);

/// <summary>One line of a chart.</summary>
/// <param name="Name">Name in the legend.</param>
/// <param name="Points">From left to right. A point that is not finite, or that the axis cannot show, interrupts the line.</param>
public sealed record Series(string Name, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>A line through pairs.</summary>
    public Series(string name, IEnumerable<(double X, double Y)> points)
        : this(name, [.. points.Select(point => new ChartPoint(point.X, point.Y))])
    {
    }
}
