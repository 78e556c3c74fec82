using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Reports;

/// <summary>Forecast against truth for a page, and the errors in the unit of each value.</summary>
/// <param name="forecasts">What was forecast.</param>
/// <param name="names">What each value is.</param>
public sealed class ForecastReport(Forecasts forecasts, IReadOnlyList<string> names)
{
    /// <summary>More points than this are a black area.</summary>
    private const int MostPoints = 400;

    /// <summary>Adds a chart for each value, of the last sequences, and a table.</summary>
    public void AddTo(ReportPage page)
    {
        page.AddHeading("Forecast against truth");
        int first = Math.Max(0, forecasts.Count - MostPoints);
        for (int d = 0; d < forecasts.Outputs; d++)
        {
            IEnumerable<(double Place, (double Answer, double Truth) Value)> shown =
                Enumerable.Range(first, forecasts.Count - first).Select(n => ((double)n, forecasts.At(n, d)));
            page.Add(new LineChart(
                names[d], new Axis(first > 0 ? $"window (the last {MostPoints} of {forecasts.Count:N0})" : "window"), new Axis(names[d]))
                .Add(new Series("truth", [.. shown.Select(point => (point.Place, point.Value.Truth))]))
                .Add(new Series("forecast", [.. shown.Select(point => (point.Place, point.Value.Answer))])));
        }

        Table table = new(new("value"), new("mse", "0.#####"), new("mean absolute error", "0.#####"), new("R^2", "0.####"));
        for (int d = 0; d < forecasts.Outputs; d++)
        {
            ForecastError error = forecasts.Errors[d];
            table.Add(names[d], error.MeanSquaredError, error.MeanAbsoluteError, error.Explained);
        }

        page.Add(table);
    }
}
