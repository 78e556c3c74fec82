using System.Diagnostics;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Tells how a comparison goes: a line for each network that is measured, and one every ten seconds while one is trained.</summary>
/// <param name="terminal">The output.</param>
/// <param name="networks">Trained networks that are compared on.</param>
/// <param name="layout">Layout of the training set.</param>
internal sealed class ComparisonProgress(Terminal terminal, int networks, SequenceLayout layout)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Stopwatch sinceLine = Stopwatch.StartNew();
    private int measured;

    /// <summary>What is measured for each of them.</summary>
    public int RunsPerNetwork { get; set; }

    /// <summary>The end of a network.</summary>
    public void Measured(ComparisonRun run)
    {
        string size = run.Keep is { } keep ? $", {keep} units" : "";
        string further = run.FineTuned switch
        {
            null => "",
            { Value: double.NaN } => ", fine-tuning diverged",
            { } tuned => $", fine-tuned {tuned.Value:0.0000}",
        };
        Write(
            $"{++measured}/{networks * RunsPerNetwork}  seed {run.Seed}, {run.Method}{size}: {run.Result.Metric} {run.Result.Value:0.0000}{further}");
    }

    /// <summary>A network under training.</summary>
    public void Stepped(string what, StepReport report)
    {
        if (sinceLine.Elapsed >= Pause) Write($"{what}: {ProgressText.Format(report, layout)}");
    }

    private void Write(string line)
    {
        terminal.Note(line);
        sinceLine.Restart();
    }
}
