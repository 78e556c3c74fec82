using GpuSpectralRnn.Data;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Texts of progress messages.</summary>
internal static class ProgressText
{
    /// <summary>For example <c>epoch 3/20  loss 0.1432  accuracy 0.957  5,120 seq/s  0:14 left</c>.</summary>
    public static string Format(StepReport r, SequenceLayout layout) =>
        $"epoch {r.Epoch}/{r.Epochs}  {Format(r.Training)}  {Speed(r.SequencesPerSecond, r.Remaining, layout)}" +
        (r.Pruning is { } pruning ? $"  {Brief(pruning)}" : "");

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

    /// <summary>
    /// What an epoch's pruning came to: <c>l0: 45.2 of 128 units expected (target 38.4), lambda 12.1; l0 40 open, 70 closed, 18 undecided; sliced: 58
    /// units, 12,345 parameters, accuracy 0.9612</c>.
    /// </summary>
    public static string Format(PruningReport r)
    {
        string sliced = r.SlicedParameters is not { } parameters ? "" :
            $"; sliced: {string.Join(", ", r.SlicedUnits.Select(pair => $"{pair.Key} {pair.Value}"))} units, {parameters:N0} parameters" +
            (r.Sliced is { } result ? $", {result.Metric} {Evaluation.Shown(result.Value)}" : "");
        string layers = r.Layers.Count == 0 ? "" : $"; {r.Layers.Count(layer => layer.IsFrozen)} of {r.Layers.Count} layers frozen";
        return $"{r.Method}: {Brief(r)}{layers}{(r.ExpectedWeights is { } weights ? $", {weights:N0} weights of a gate" : "")}{string.Concat(r.Axes.Select(axis => $"; {axis}"))}{sliced}";
    }

    /// <summary>The part of it that moves within an epoch.</summary>
    public static string Brief(PruningReport r)
    {
        int all = r.Axes.Sum(axis => axis.Units);
        string size = r.Weights is { } weights ? $"{weights.Kept:N0} of {weights.All:N0} weights"
            : r.ExpectedUnits is { } expected ? $"{expected:0.0} of {all} units expected" : $"{r.Axes.Sum(axis => axis.Open)} of {all} units";
        string target = r.Target is { } share ? $" (target {share:0.0 %})" : "";
        string price = r.Penalty is { } penalty ? $"lambda {penalty:0.###e+0}" : "";
        return all == 0 && r.Weights is null ? price : $"{size}{target}{(price.Length > 0 ? $", {price}" : "")}";
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
