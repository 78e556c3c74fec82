namespace GpuSpectralRnn.Data;

/// <summary>What a run trains on, what it watches while it trains, and what it reports in the end.</summary>
/// <param name="Train">Sequences to learn from.</param>
/// <param name="Valid">Sequences to choose by (patience, best epoch), if any.</param>
/// <param name="Test">Sequences to report on, if any.</param>
public sealed record DataSplits(ISequenceData Train, ISequenceData? Valid = null, ISequenceData? Test = null);

/// <summary>Which part of a generated data set; the parts share no sequence whatever their sizes.</summary>
public enum DataPart
{
    /// <summary>To learn from.</summary>
    Train,

    /// <summary>To choose by.</summary>
    Valid,

    /// <summary>To report on.</summary>
    Test,
}
