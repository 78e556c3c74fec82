using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Signals.Series;

/// <summary>How a time series is read.</summary>
public sealed record SeriesSetSettings
{
    /// <summary>T, rows that a network reads.</summary>
    public int Window { get; init; }

    /// <summary>How many rows after the last of them the forecast is for.</summary>
    public int Horizon { get; init; } = 1;

    /// <summary>The columns to forecast.</summary>
    public IReadOnlyList<string> Target { get; init; } = [];

    /// <summary>The columns to read; null: all but that of times, those to forecast too.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>What happens to gaps.</summary>
    public MissingValues Missing { get; init; }

    /// <summary>Shares of the rows in percent, in the order of time: training, validation and test part; 100 together.</summary>
    public (double Train, double Valid, double Test) Parts { get; init; } = (70, 10, 20);

    /// <summary>How the file is written.</summary>
    public SeriesFormat Format { get; init; } = new();

    /// <summary>What a model remembers of its series, to read others alike; null: it is made from this file.</summary>
    public SeriesPreparation? Preparation { get; init; }
}

/// <summary>
/// A time series in parts that follow each other in time. A window belongs to the part of the row that it forecasts; the rows that it reads may lie
/// before. Columns are scaled by mean and standard deviation over the rows of the training part.
/// </summary>
public sealed class SeriesSet
{
    private readonly string path;
    private readonly SeriesTable table;
    private readonly float[] inputs, targets; // scaled
    private readonly int trainEnd, validEnd; // rows

    /// <summary>Reads the file.</summary>
    /// <exception cref="InvalidCallException">A setting is out of range, a column does not exist, a cell is no number, a gap is not to be filled, or
    /// the rows are too few.</exception>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public SeriesSet(string path, SeriesSetSettings settings)
    {
        this.path = path;
        SeriesPreparation? known = settings.Preparation;
        Check(settings);
        IReadOnlyList<string>? columns = known?.Inputs.Select(scale => scale.Name).ToArray() ?? settings.Columns;
        IReadOnlyList<string> target = known?.Targets.Select(scale => scale.Name).ToArray() ?? settings.Target;
        table = SeriesTable.Read(path, settings.Format, columns is null ? null : [.. columns.Union(target)]);
        columns ??= table.Names;
        trainEnd = (int)(table.Rows * settings.Parts.Train / 100);
        validEnd = Math.Max(trainEnd, (int)Math.Round(table.Rows * (settings.Parts.Train + settings.Parts.Valid) / 100));
        if (known is null && trainEnd == 0)
            throw new InvalidCallException($"{path}: none of {table.Rows} rows are in the training part; choose other `Parts`.");
        MissingValues missing = known?.Missing ?? settings.Missing;
        Dictionary<string, (TargetScale Scale, double[] Values)> scaled = [];
        foreach (string name in columns.Union(target))
        {
            TargetScale? scale = known?.Inputs.Concat(known.Targets).FirstOrDefault(own => own.Name == name);
            scaled[name] = Prepare(name, scale, missing);
        }

        Preparation = known ?? new SeriesPreparation(
            settings.Window,
            settings.Horizon,
            [.. columns.Select(name => scaled[name].Scale)],
            [.. target.Select(name => scaled[name].Scale)],
            missing);
        (inputs, targets) = (Interleave(columns), Interleave(target));

        float[] Interleave(IReadOnlyList<string> names)
        {
            float[] values = new float[(long)table.Rows * names.Count];
            for (int row = 0, at = 0; row < table.Rows; row++)
                foreach (string name in names) values[at++] = (float)scaled[name].Values[row];
            return values;
        }
    }

    /// <summary>What a model must remember.</summary>
    public SeriesPreparation Preparation { get; }

    /// <summary>The column of times, which is no input; null where there is none.</summary>
    public string? TimeColumn => table.TimeColumn;

    /// <summary>The rows of the file.</summary>
    public int Rows => table.Rows;

    /// <summary>A part; null where no window forecasts one of its rows.</summary>
    public SeriesData? Load(DataPart part)
    {
        (int start, int end) = part switch
        {
            DataPart.Train => (0, trainEnd),
            DataPart.Valid => (trainEnd, validEnd),
            _ => (validEnd, table.Rows),
        };
        start = Math.Max(start, FirstForecast);
        return start < end ? Create(part.ToString().ToLowerInvariant(), start, end - start, targets) : null;
    }

    /// <summary>All windows, those too whose forecast lies beyond the file's last row; without targets.</summary>
    /// <exception cref="InvalidCallException">The file is shorter than a window.</exception>
    public SeriesData LoadAll()
    {
        int count = table.Rows - Preparation.Window + 1;
        return count > 0
            ? Create("all", FirstForecast, count, null)
            : throw new InvalidCallException($"{path} has {table.Rows} rows; a window takes {Preparation.Window}.");
    }

    private int FirstForecast => Preparation.Window + Preparation.Horizon - 1;

    private SeriesData Create(string part, int first, int count, float[]? wanted) =>
        new($"{Path.GetFileName(path)} ({part})", inputs, wanted, table.Times, Preparation, first, count);

    private static void Check(SeriesSetSettings settings)
    {
        (double train, double valid, double test) = settings.Parts;
        if (!(train >= 0 && valid >= 0 && test >= 0) || Math.Abs(train + valid + test - 100) > 1e-6)
            throw new InvalidCallException($"`Parts` {train},{valid},{test}: three shares in percent, 100 together.");
        if (settings.Preparation is not null) return;
        if (settings.Window < 1) throw new InvalidCallException($"`Window` {settings.Window}: choose 1 row or more.");
        if (settings.Horizon < 1) throw new InvalidCallException($"`Horizon` {settings.Horizon}: choose 1 row or more.");
        if (settings.Target.Count == 0) throw new InvalidCallException("`Target` names no column; name one or more to forecast.");
        if (settings.Target.Distinct(StringComparer.Ordinal).Count() < settings.Target.Count
            || settings.Columns?.Distinct(StringComparer.Ordinal).Count() < settings.Columns?.Count)
            throw new InvalidCallException("`Target` and `Columns` name each column once.");
    }

    private (TargetScale Scale, double[] Values) Prepare(string name, TargetScale? known, MissingValues missing)
    {
        double[] values = [.. table.Column(name)];
        double[] seen = [.. values.AsSpan(0, known is null ? trainEnd : values.Length).ToArray().Where(double.IsFinite)];
        if (seen.Length == 0)
            throw new InvalidCallException(
                $"{path}: the column '{ForeignText.Show(name)}' has no number in the training part; leave it out of `Columns`.");
        if (missing == MissingValues.Mean && known is null) known = Measure(name, seen);
        Fill(name, values, missing, known);
        TargetScale scale = known ?? Measure(name, values.AsSpan(0, trainEnd).ToArray());
        for (int i = 0; i < values.Length; i++) values[i] = scale.Apply(values[i]);
        return (scale, values);
    }

    private static TargetScale Measure(string name, double[] values)
    {
        double mean = values.Average(), spread = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        return new TargetScale(name, mean, spread > 1e-12 * Math.Max(1, Math.Abs(mean)) ? spread : 1);
    }

    private void Fill(string name, double[] values, MissingValues missing, TargetScale? scale)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!double.IsNaN(values[i])) continue;
            if (missing == MissingValues.Refuse) throw table.Gap(name, i);
            int end = i;
            while (end < values.Length && double.IsNaN(values[end])) end++;
            double next = end < values.Length ? values[end] : double.NaN;
            double before = i > 0 ? values[i - 1] : next, after = end < values.Length ? next : before;
            for (int j = i; j < end; j++)
            {
                values[j] = missing switch
                {
                    MissingValues.Mean => scale!.Mean,
                    MissingValues.Linear => before + ((after - before) * (j - i + 1) / (end - i + 1)),
                    _ => before,
                };
            }
        }
    }
}
