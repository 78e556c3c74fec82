using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>A progress bar in the last line of a terminal, cut to its width, with the finished epochs above it.</summary>
internal sealed class LiveProgress(Terminal terminal, SequenceLayout layout) : ITrainingProgress
{
    private const int BarWidth = 12;

    /// <inheritdoc/>
    public TrainingResult Show(Func<TrainingResult> train)
    {
        try
        {
            return train();
        }
        finally
        {
            terminal.EraseLine();
        }
    }

    /// <inheritdoc/>
    public void Step(StepReport report)
    {
        double share = (double)report.Step / report.Steps;
        int filled = (int)(share * BarWidth);
        terminal.Overwrite(
            $"[{new string('=', filled)}{new string(' ', BarWidth - filled)}] {100 * share,3:0} %  {ProgressText.Format(report, layout)}");
    }

    /// <inheritdoc/>
    public void Epoch(EpochReport report)
    {
        terminal.Note(ProgressText.Short(report));
        if (report.Pruning is { } pruning) terminal.Note($"  {ProgressText.Format(pruning)}");
    }
}
