namespace GpuSpectralRnn.Training;

/// <summary>Progress of a run within an epoch.</summary>
/// <param name="Epoch">1-based.</param>
/// <param name="Epochs">Of the whole run.</param>
/// <param name="Step">Steps done over the whole run.</param>
/// <param name="Steps">Of the whole run.</param>
/// <param name="Rate">The learning rate of the last step.</param>
/// <param name="Training">Loss and metric over the epoch so far, of each batch with the weights before its update.</param>
/// <param name="SequencesPerSecond">Since this session of the run began, evaluations included.</param>
/// <param name="Remaining">Estimated time left, at that speed.</param>
public sealed record StepReport(
    int Epoch, int Epochs, long Step, long Steps, double Rate, Evaluation Training, double SequencesPerSecond, TimeSpan Remaining)
{
    /// <summary>How far pruning has come, where the run prunes.</summary>
    public PruningReport? Pruning { get; init; }
}

/// <summary>A finished epoch.</summary>
/// <param name="Epoch">1-based.</param>
/// <param name="Epochs">Of the whole run.</param>
/// <param name="Training">Loss and metric over the epoch's sequences, of each batch with the weights before its update.</param>
/// <param name="Validation">Loss and metric over the validation set after the epoch, where there is one.</param>
/// <param name="IsBest">Whether no epoch before had a better validation metric.</param>
/// <param name="SequencesPerSecond">Since this session of the run began, evaluations included.</param>
/// <param name="Remaining">Estimated time left, at that speed.</param>
public sealed record EpochReport(
    int Epoch, int Epochs, Evaluation Training, Evaluation? Validation, bool IsBest, double SequencesPerSecond, TimeSpan Remaining)
{
    /// <summary>How far pruning has come, and what slicing would give now, where the run prunes.</summary>
    public PruningReport? Pruning { get; init; }
}

/// <summary>Result of a run.</summary>
/// <param name="Epochs">Epochs finished.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="Seconds">Training time over all sessions of the run.</param>
/// <param name="Training">Loss and metric over the last finished epoch; null if none was finished in this session.</param>
/// <param name="Validation">The validation result of the weights the network now holds, where it is known.</param>
/// <param name="BestEpoch">The epoch with the best validation metric, 1-based; 0 without validation.</param>
/// <param name="IsCancelled">Whether it was cancelled; a checkpoint was written if a path was given.</param>
/// <param name="RanOutOfPatience">Whether it stopped early because the validation metric no longer improved.</param>
public sealed record TrainingResult(
    int Epochs, long Steps, double Seconds, Evaluation? Training, Evaluation? Validation, int BestEpoch, bool IsCancelled, bool RanOutOfPatience);
