using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Texts of progress messages.</summary>
internal static class ProgressText
{
    /// <summary>For example <c>epoch 3/20  loss 0.1432  accuracy 0.957  5,120 seq/s  0:14 left</c>.</summary>
    public static string Format(StepReport r, SequenceLayout layout) =>
        $"epoch {r.Epoch}/{r.Epochs}  {Format(r.Training)}  {Speed(r.SequencesPerSecond, r.Remaining, layout)}";

    /// <summary>The same with what the held-out sequences say.</summary>
    public static string Format(EpochReport r, SequenceLayout layout)
    {
        string held = r.Validation is { } v ? $"  held out: {Format(v)}" : "";
        return $"epoch {r.Epoch}/{r.Epochs}  {Format(r.Training)}{held}  {Speed(r.SequencesPerSecond, r.Remaining, layout)}";
    }

    /// <summary>The results alone, in less than 80 columns: <c>epoch 3/20  loss 0.1432  accuracy 0.957 | held out 0.1712  0.9435</c>.</summary>
    public static string Short(EpochReport r)
    {
        string held = r.Validation is not { } v ? ""
            : v.Metric == "mse" ? $" | held out {Evaluation.Shown(v.Value, "0.00000")}"
            : $" | held out {Evaluation.Shown(v.Loss, "0.0000")}  {Evaluation.Shown(v.Value, v.Metric == "perplexity" ? "0.00" : "0.0000")}";
        return $"epoch {r.Epoch}/{r.Epochs}  {Format(r.Training)}{held}";
    }

    /// <summary>For example <c>1:02:03</c>, <c>2:03</c>.</summary>
    public static string Format(TimeSpan time) =>
        time.TotalHours >= 1 ? $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes}:{time.Seconds:00}";

    private static string Format(Evaluation e) => e.Metric switch
    {
        "mse" => $"mse {Evaluation.Shown(e.Value, "0.00000")}",
        "perplexity" => $"loss {Evaluation.Shown(e.Loss, "0.0000")}  perplexity {Evaluation.Shown(e.Value, "0.00")}",
        _ => $"loss {Evaluation.Shown(e.Loss, "0.0000")}  {e.Metric} {e.Value:0.0000}",
    };

    // A window of text is no sequence that anyone counts in.
    private static string Speed(double sequencesPerSecond, TimeSpan remaining, SequenceLayout layout) =>
        $"{(layout.IsStream ? sequencesPerSecond * layout.Steps : sequencesPerSecond):N0} " +
        $"{(layout.IsStream ? "tokens/s" : "seq/s")}  {Format(remaining)} left";
}
