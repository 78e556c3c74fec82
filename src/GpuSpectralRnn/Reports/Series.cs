namespace GpuSpectralRnn.Reports;

/// <summary>A point of a chart.</summary>
/// <param name="X">To the right.</param>
/// <param name="Y">Upwards.</param>
/// <param name="Error">Half the length of an error bar; 0 for none.</param>
public readonly record struct ChartPoint(double X, double Y, double Error = 0);

/// <summary>One line of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">From left to right. What is not finite, or has no place on the axis, breaks the line.</param>
public sealed record Series(string Name, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>A line over pairs.</summary>
    public Series(string name, IEnumerable<(double X, double Y)> points)
        : this(name, [.. points.Select(point => new ChartPoint(point.X, point.Y))])
    {
    }
}
