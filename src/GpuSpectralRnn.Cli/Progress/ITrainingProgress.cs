using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Shows the progress of a training run.</summary>
internal interface ITrainingProgress
{
    /// <summary>Shows the progress while <paramref name="train"/> runs.</summary>
    TrainingResult Show(Func<TrainingResult> train);

    /// <summary>Something between two epochs' ends.</summary>
    void Step(StepReport report);

    /// <summary>The end of an epoch.</summary>
    void Epoch(EpochReport report);

    /// <summary>A live bar on a terminal, plain lines elsewhere, nothing with <c>--quiet</c>.</summary>
    static ITrainingProgress For(Terminal terminal, SequenceLayout layout) =>
        terminal.IsQuiet ? new NoProgress() : Terminal.IsPlain ? new PlainProgress(terminal, layout) : new LiveProgress(terminal, layout);
}
