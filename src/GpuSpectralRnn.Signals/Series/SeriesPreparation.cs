using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Signals.Series;

/// <summary>What a network for a time series must be told with every file: it stands in its model file.</summary>
/// <param name="Window">T, rows that the network reads.</param>
/// <param name="Horizon">How many rows after the last of them the row lies that is forecast.</param>
/// <param name="Inputs">The columns that it reads, with their scaling.</param>
/// <param name="Targets">The columns that it forecasts, with their scaling.</param>
/// <param name="Missing">What happens to gaps.</param>
public sealed record SeriesPreparation(
    int Window, int Horizon, IReadOnlyList<TargetScale> Inputs, IReadOnlyList<TargetScale> Targets, MissingValues Missing)
{
    /// <summary>The key of a model's notes on its data under which the preparation stands as JSON.</summary>
    public const string Key = "csv";

    /// <summary>As one line of JSON.</summary>
    public string ToJson() => ModelNote.Write(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote, and checks it.</summary>
    /// <exception cref="RunFailedException">It is damaged.</exception>
    public static SeriesPreparation FromJson(string json) => ModelNote.Read<SeriesPreparation>(json, "columns", note => note.IsSound());

    private bool IsSound() => Window > 0 && Horizon > 0 && Inputs.Count > 0 && Targets.Count > 0 && Inputs.Concat(Targets).All(scale =>
        scale?.Name is not null && double.IsFinite(scale.Mean) && double.IsFinite(scale.Deviation) && scale.Deviation > 0);
}
