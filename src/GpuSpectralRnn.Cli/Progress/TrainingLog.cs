using System.Text.Json.Nodes;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>The epochs of a run, kept, and where wanted written to a file as they end: one JSON object to a line.</summary>
internal sealed class TrainingLog
{
    private readonly string? path;
    private readonly List<EpochReport> epochs = [];

    /// <summary>Begins the file anew, or goes on with it.</summary>
    public TrainingLog(string? path, bool goesOn)
    {
        this.path = path;
        if (!goesOn) Write(File.WriteAllText, "");
    }

    /// <summary>Those of this call.</summary>
    public IReadOnlyList<EpochReport> Epochs => epochs;

    /// <summary>The end of an epoch.</summary>
    public void Add(EpochReport epoch)
    {
        epochs.Add(epoch);
        Write(File.AppendAllText, ToJson(epoch).ToJsonString() + "\n");
    }

    /// <summary>An epoch as one JSON object.</summary>
    public static JsonObject ToJson(EpochReport epoch) => new()
    {
        ["epoch"] = epoch.Epoch,
        ["loss"] = Terminal.Number(epoch.Training.Loss),
        ["metric"] = ToJson(epoch.Training),
        ["watched"] = epoch.Validation is { } watched ? ToJson(watched) : null,
        ["pruning"] = epoch.Pruning is { } pruning ? ToJson(pruning) : null,
    };

    /// <summary>The layers of a mask.</summary>
    public static JsonArray ToJson(IReadOnlyList<LayerReport> layers) => new([.. layers.Select(layer => new JsonObject
    {
        ["name"] = layer.Layer,
        ["density"] = Terminal.Number(layer.Density),
        ["relative"] = Number(layer.Expansion),
        ["gap"] = Terminal.Number(layer.Gap),
        ["frozen"] = layer.IsFrozen,
    })]);

    private void Write(Action<string, string> write, string text)
    {
        try
        {
            if (path is not null) write(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"Cannot write {path}: {e.Message.TrimEnd('.')}. Check the folder, its permissions and the space left.", e);
        }
    }

    private static JsonObject ToJson(Evaluation e) => new() { ["name"] = e.Metric, ["value"] = Terminal.Number(e.Value), ["loss"] = Terminal.Number(e.Loss) };

    private static JsonObject ToJson(PruningReport r) => new()
    {
        ["method"] = r.Method,
        ["expectedUnits"] = Number(r.ExpectedUnits),
        ["expectedWeights"] = Number(r.ExpectedWeights),
        ["target"] = Number(r.Target),
        ["lambda"] = Number(r.Penalty),
        ["weights"] = r.Weights is { } weights ? new JsonObject { ["kept"] = weights.Kept, ["all"] = weights.All } : null,
        ["axes"] = new JsonArray([.. r.Axes.Select(axis => new JsonObject
        {
            ["name"] = axis.Axis,
            ["units"] = axis.Units,
            ["expected"] = Number(axis.Expected),
            ["open"] = axis.Open,
            ["closed"] = axis.Closed,
            ["undecided"] = axis.Undecided,
            ["sliced"] = r.SlicedUnits.TryGetValue(axis.Axis, out int units) ? units : null,
        })]),
        ["layers"] = r.Layers.Count == 0 ? null : ToJson(r.Layers),
        ["parameters"] = r.SlicedParameters,
        ["sliced"] = r.Sliced is { } sliced ? ToJson(sliced) : null,
    };

    private static JsonNode? Number(double? value) => value is { } number ? Terminal.Number(number) : null;
}
