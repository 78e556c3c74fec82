namespace GpuSpectralRnn.Signals.Series;

/// <summary>What happens to gaps in a column.</summary>
public enum MissingValues
{
    /// <summary>The first one is an error.</summary>
    Refuse,

    /// <summary>The last number before it; before the first number that one.</summary>
    Previous,

    /// <summary>On the line between the numbers around it, which looks ahead by as much as the gap is long; at the ends the nearest number.</summary>
    Linear,

    /// <summary>The column's mean over the training part.</summary>
    Mean,
}
