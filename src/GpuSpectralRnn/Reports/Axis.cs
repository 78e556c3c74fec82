namespace GpuSpectralRnn.Reports;

/// <summary>One axis of a chart.</summary>
/// <param name="Title">What is shown, with its unit: <c>kept units k</c>, <c>accuracy (%)</c>.</param>
/// <param name="IsLogarithmic">By powers of ten; values that are not positive cannot be shown then and are left out.</param>
public sealed record Axis(string Title, bool IsLogarithmic = false);
