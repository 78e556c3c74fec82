using System.Text.Json.Nodes;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>What a regression's answers came to, value by value in its own unit, for results and pages.</summary>
internal sealed class ForecastErrors
{
    /// <summary>Answers that are kept for their errors, 64 MB of them and as many truths; a larger set has its metric alone.</summary>
    private const long MostAnswers = 1 << 24;

    private readonly Forecasts forecasts;
    private readonly string[] names;

    private ForecastErrors(Forecasts forecasts, string[] names) => (this.forecasts, this.names) = (forecasts, names);

    /// <summary>Asks the network about all sequences; null of a task that is no regression, and of a large set.</summary>
    public static ForecastErrors? Measure(Evaluator evaluator, ISequenceData data, DataSource source, CancellationToken cancellation = default)
    {
        if (data.Layout is not { Target: TargetKind.Value, Targets.Count: 1 } || (long)data.Count * data.Layout.Outputs > MostAnswers) return null;
        IReadOnlyList<TargetScale>? scales = source.Targets;
        string[] names = [.. scales?.Select(scale => scale.Name) ?? Enumerable.Range(1, data.Layout.Outputs).Select(d => $"value {d}")];
        return new ForecastErrors(Forecasts.Measure(evaluator, data, scales, cancellation), names);
    }

    /// <summary>For a line of text, of one value: <c>, mean absolute error 0.12</c>; of several for each.</summary>
    public override string ToString() => ", mean absolute error " + (names.Length == 1
        ? Evaluation.Shown(forecasts.Errors[0].MeanAbsoluteError)
        : string.Join(", ", forecasts.Errors.Select((error, d) => $"{names[d]} {Evaluation.Shown(error.MeanAbsoluteError)}")));

    /// <summary>Each value with its errors.</summary>
    public JsonArray ToJson() =>
    [
        .. forecasts.Errors.Select((error, d) => new JsonObject
        {
            ["name"] = names[d],
            ["mse"] = Terminal.Number(error.MeanSquaredError),
            ["mae"] = Terminal.Number(error.MeanAbsoluteError),
            ["r2"] = error.Explained is { } share ? Terminal.Number(share) : null,
        }),
    ];

    /// <summary>Adds forecast and truth to a page.</summary>
    public void AddTo(ReportPage page) => new ForecastReport(forecasts, names).AddTo(page);
}
