using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Reports;

/// <summary>A training run for a page: loss and metric over the epochs, and how far pruning has come.</summary>
/// <param name="epochs">One or more; none gives nothing.</param>
public sealed class TrainingReport(IReadOnlyList<EpochReport> epochs)
{
    private static readonly Axis Time = new("epoch");

    /// <summary>Adds the charts and a table.</summary>
    public void AddTo(ReportPage page)
    {
        if (epochs.Count == 0) return;
        (string metric, string watched) = (epochs[0].Training.Metric, epochs[0].Validation?.Metric ?? epochs[0].Training.Metric);
        page.AddHeading("Over the epochs");
        page.Add(Lines("Loss", "loss", e => e.Training.Loss, e => e.Validation?.Loss));
        if (watched == metric)
        {
            page.Add(Lines(metric, metric, e => e.Training.Value, e => e.Validation?.Value));
        }
        else
        {
            // Readers: steps are counted while they train, answers where they are judged.
            page.Add(Lines(metric, metric, [("training", Over(e => e.Training.Value))]));
            page.Add(Lines(watched, watched, [("watched", Over(e => e.Validation?.Value))]));
        }

        if (epochs.Any(epoch => epoch.Pruning is not null)) AddPruning(page, watched);
    }

    private static LineChart Lines(string title, string y, IEnumerable<(string Name, IEnumerable<(double X, double Y)> Points)> lines)
    {
        LineChart chart = new(title, Time, new Axis(y));
        foreach ((string name, IEnumerable<(double X, double Y)> points) in lines)
        {
            (double X, double Y)[] all = [.. points];
            if (all.Length > 0) chart.Add(new Series(name, all));
        }

        return chart;
    }

    private LineChart Lines(string title, string y, Func<EpochReport, double?> training, Func<EpochReport, double?> watched) =>
        Lines(title, y, [("training", Over(training)), ("watched", Over(watched))]);

    private IEnumerable<(double X, double Y)> Over(Func<EpochReport, double?> value) =>
        from epoch in epochs
        let y = value(epoch)
        where y is not null
        select ((double)epoch.Epoch, y.Value);

    private void AddPruning(ReportPage page, string metric)
    {
        PruningReport last = epochs.Select(epoch => epoch.Pruning).OfType<PruningReport>().Last();
        page.AddHeading($"Pruning by {last.Method}");
        foreach (UnitCounts axis in last.Axes) page.Add(Gates(axis.Axis));
        if (last.Layers.Count > 0)
        {
            page.Add(Lines("Density of the masks", "share kept",
                last.Layers.Select(layer => (layer.Layer, Over(epoch => Find(epoch, layer.Layer)?.Density)))));
            page.Add(Lines("δ_R over its bound", "δ_R over its bound",
                last.Layers.Select(layer => (layer.Layer, Over(epoch => Find(epoch, layer.Layer)?.Expansion)))));
        }

        (double X, double Y)[] sizes =
        [
            .. from epoch in epochs
               let pruning = epoch.Pruning
               where pruning?.SlicedParameters is not null && pruning.Sliced is not null
               orderby pruning.SlicedParameters
               select ((double)pruning.SlicedParameters!.Value, pruning.Sliced!.Value),
        ];
        if (sizes.Length > 0) page.Add(new LineChart("Metric against size", new Axis("parameters after slicing"), new Axis(metric)).Add(new Series("sliced", sizes)));
        page.Add(Table(metric));

        static LayerReport? Find(EpochReport epoch, string layer) => epoch.Pruning?.Layers.FirstOrDefault(own => own.Layer == layer);
    }

    private LineChart Gates(string axis)
    {
        return Lines($"Units of {axis}", "units",
        [
            ("open", Over(epoch => Find(epoch)?.Open)),
            ("closed", Over(epoch => Find(epoch)?.Closed)),
            ("undecided", Over(epoch => Find(epoch)?.Undecided)),
            ("expected", Over(epoch => Find(epoch)?.Expected)),
        ]);

        UnitCounts? Find(EpochReport epoch) => epoch.Pruning?.Axes.FirstOrDefault(own => own.Axis == axis);
    }

    private Table Table(string metric)
    {
        Table table = new(
            new("epoch"), new("expected units", "0.0"), new("target", "0.0 %"), new("open, closed, undecided"), new("sliced"), new("parameters", "#,0"), new(metric, "0.####"));
        foreach (EpochReport epoch in epochs)
        {
            if (epoch.Pruning is not { } pruning) continue;
            table.Add(
                epoch.Epoch,
                pruning.ExpectedUnits,
                pruning.Target,
                string.Join("; ", pruning.Axes.Select(axis => $"{axis.Axis} {axis.Open}, {axis.Closed}, {axis.Undecided}")),
                string.Join(", ", pruning.SlicedUnits.Select(pair => $"{pair.Key} {pair.Value}")),
                pruning.SlicedParameters,
                pruning.Sliced?.Value);
        }

        return table;
    }
}
