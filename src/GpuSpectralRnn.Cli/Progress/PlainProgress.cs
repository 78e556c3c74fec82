using System.Diagnostics;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Lines on standard error: one at the end of each epoch, and one every ten seconds while an epoch lasts longer.</summary>
internal sealed class PlainProgress(Terminal terminal, SequenceLayout layout) : ITrainingProgress
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Stopwatch sinceLine = Stopwatch.StartNew();

    /// <inheritdoc/>
    public TrainingResult Show(Func<TrainingResult> train) => train();

    /// <inheritdoc/>
    public void Step(StepReport report)
    {
        if (sinceLine.Elapsed >= Pause) Write(ProgressText.Format(report, layout));
    }

    /// <inheritdoc/>
    public void Epoch(EpochReport report)
    {
        Write(ProgressText.Format(report, layout));
        if (report.Pruning is { } pruning) Write($"  {ProgressText.Format(pruning)}");
    }

    private void Write(string line)
    {
        terminal.Note(line);
        sinceLine.Restart();
    }
}
