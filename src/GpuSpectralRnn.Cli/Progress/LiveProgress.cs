using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;
using Spectre.Console;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>A bar that moves on a terminal, with the finished epochs above it.</summary>
internal sealed class LiveProgress(SequenceLayout layout) : ITrainingProgress
{
    private const int BarWidth = 10;

    /// <summary>Columns that the percentage and the gaps take.</summary>
    private const int BesideBar = 8;

    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private ProgressTask? bar;

    /// <inheritdoc/>
    public TrainingResult Show(Func<TrainingResult> train) =>
        console.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn { Width = BarWidth }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                bar = context.AddTask("training");
                return train();
            });

    /// <inheritdoc/>
    public void Step(StepReport report)
    {
        if (bar is null) return;
        bar.MaxValue = report.Steps;
        bar.Value = report.Step;
        string text = ProgressText.Of(report, layout);

        // What does not fit beside the bar would break it into several lines.
        bar.Description = Markup.Escape(text[..Math.Clamp(console.Profile.Width - BarWidth - BesideBar, 0, text.Length)]);
    }

    /// <inheritdoc/>
    public void Epoch(EpochReport report)
    {
        console.WriteLine(ProgressText.Of(report, layout));
        if (bar is not null) bar.Value = bar.MaxValue * report.Epoch / report.Epochs;
    }
}
