using System.Globalization;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Signals.Series;

/// <summary>
/// Windows of a time series: T rows of all inputs, with the targets H rows after the last of them. Each window begins a row after the one before.
/// </summary>
public sealed class SeriesData : ISequenceData
{
    private readonly float[] inputs; // [rows, I], scaled
    private readonly float[]? targets; // [rows, D], scaled; null: nothing is known yet
    private readonly IReadOnlyList<string> times;
    private readonly int first, horizon; // the row that the first window forecasts

    internal SeriesData(
        string name, float[] inputs, float[]? targets, IReadOnlyList<string> times, SeriesPreparation preparation, int first, int count)
    {
        (Name, this.inputs, this.targets, this.times, this.first, horizon, Count) = (name, inputs, targets, times, first, preparation.Horizon, count);
        Layout = targets is null
            ? new SequenceLayout(preparation.Window, preparation.Inputs.Count)
            : new SequenceLayout(preparation.Window, preparation.Inputs.Count, TargetKind.Value, preparation.Targets.Count);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public SequenceLayout Layout { get; }

    /// <summary>The row, counted from 0, that a window forecasts; it may lie beyond the last.</summary>
    public int RowOf(int index) => first + index;

    /// <inheritdoc/>
    public string? NameOf(int index)
    {
        int row = RowOf(index);
        if (row < times.Count) return times[row];
        return times.Count > 0 ? $"{times[^1]} + {row - times.Count + 1} rows" : $"row {(row + 1).ToString(CultureInfo.InvariantCulture)}";
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        foreach (int index in indices) ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(indices));
        batch.Resize(indices.Length);
        (int size, int width, int steps) = (indices.Length, Layout.Features, Layout.Steps);
        for (int b = 0; b < size; b++)
        {
            int row = RowOf(indices[b]), start = row - horizon - steps + 1;
            for (int t = 0; t < steps; t++) inputs.AsSpan((start + t) * width, width).CopyTo(batch.Inputs[(((t * size) + b) * width)..]); // [T, B, I]
            if (targets is not null) targets.AsSpan(row * Layout.Outputs, Layout.Outputs).CopyTo(batch.Values[(b * Layout.Outputs)..]);
        }
    }
}
