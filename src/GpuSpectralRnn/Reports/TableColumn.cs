namespace GpuSpectralRnn.Reports;

/// <summary>One column of a <see cref="Table"/>.</summary>
/// <param name="Name">Heading with the unit: <c>accuracy (%)</c>.</param>
/// <param name="Format">.NET format of the cells for people, for example <c>0.00</c>; null for the shortest that gives the number back.</param>
/// <param name="Key">Name in CSV and JSON: <c>accuracy</c>; null for the heading.</param>
public sealed record TableColumn(string Name, string? Format = null, string? Key = null);
