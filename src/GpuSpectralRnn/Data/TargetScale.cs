namespace GpuSpectralRnn.Data;

/// <summary>How a target value of a data set becomes a number in its own unit: value * deviation + mean.</summary>
/// <param name="Name">What it is, for example the column's name.</param>
/// <param name="Mean">What a value of 0 stands for.</param>
/// <param name="Deviation">What a value of 1 stands for, beyond that.</param>
public sealed record TargetScale(string Name, double Mean, double Deviation)
{
    /// <summary>The number in its own unit.</summary>
    public double Restore(double value) => (value * Deviation) + Mean;

    /// <summary>The value that stands for a number.</summary>
    public double Apply(double number) => (number - Mean) / Deviation;
}
