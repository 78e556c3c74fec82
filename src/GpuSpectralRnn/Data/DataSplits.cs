namespace GpuSpectralRnn.Data;

/// <summary>The training, validation and test set of a run.</summary>
/// <param name="Train">Sequences to learn from.</param>
/// <param name="Valid">Sequences to choose by (patience, best epoch), if any.</param>
/// <param name="Test">Sequences to report on, if any.</param>
public sealed record DataSplits(ISequenceData Train, ISequenceData? Valid = null, ISequenceData? Test = null);

/// <summary>Which part of a generated data set; the parts share no sequence whatever their sizes.</summary>
public enum DataPart
{
    /// <summary>Training.</summary>
    Train,

    /// <summary>Validation.</summary>
    Valid,

    /// <summary>Test.</summary>
    Test,
}
