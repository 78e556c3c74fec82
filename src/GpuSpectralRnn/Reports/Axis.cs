namespace GpuSpectralRnn.Reports;

/// <summary>One axis of a chart.</summary>
/// <param name="Title">The quantity with its unit: <c>kept units k</c>, <c>accuracy (%)</c>.</param>
/// <param name="IsLogarithmic">Whether the axis is logarithmic; values that are not positive are then left out.</param>
public sealed record Axis(string Title, bool IsLogarithmic = false);
