using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Shows nothing.</summary>
internal sealed class NoProgress : ITrainingProgress
{
    /// <inheritdoc/>
    public TrainingResult Show(Func<TrainingResult> train) => train();

    /// <inheritdoc/>
    public void Step(StepReport report)
    {
        // Progress is suppressed.
    }

    /// <inheritdoc/>
    public void Epoch(EpochReport report)
    {
        // Progress is suppressed.
    }
}
