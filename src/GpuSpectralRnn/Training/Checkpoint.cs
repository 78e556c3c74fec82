using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// Progress of a run. Random numbers are a function of the seed, the epoch and the batch, so that this state is also the position of the generator.
/// </summary>
public sealed record TrainingState
{
    /// <summary>The epoch in progress, 0-based; equal to the number of epochs when the run is over.</summary>
    public int Epoch { get; init; }

    /// <summary>Batches of that epoch already done.</summary>
    public int Batch { get; init; }

    /// <summary>Optimiser steps done over the whole run.</summary>
    public long Step { get; init; }

    /// <summary>Sum of the losses of that epoch so far.</summary>
    public double LossSum { get; init; }

    /// <summary>Rows of that epoch so far that were classified correctly.</summary>
    public long Correct { get; init; }

    /// <summary>Rows of that epoch so far that entered the loss.</summary>
    public long Rows { get; init; }

    /// <summary>The best validation result so far.</summary>
    public Evaluation? Best { get; init; }

    /// <summary>The epoch of <see cref="Best"/>, 1-based; 0 before the first.</summary>
    public int BestEpoch { get; init; }

    /// <summary>Epochs without improvement on the best result before them.</summary>
    public int WorseEpochs { get; init; }

    /// <summary>Seconds of training so far, over all sessions of the run.</summary>
    public double Seconds { get; init; }

    /// <summary>The training set's name and number of sequences, to recognise it.</summary>
    public string Data { get; init; } = "";

    /// <summary><see cref="GpuSpectralRnn.Data.ContentHash"/> of the training set; null in checkpoints of version 0.1.</summary>
    public string? DataHash { get; init; }
}

/// <summary>A run on disk: all that is needed to resume it, with bitwise equal results on the same device.</summary>
public sealed class Checkpoint
{
    private const string FormatKey = "gsrnn.checkpoint";
    private const string ArchitectureKey = "gsrnn.architecture";
    private const string SettingsKey = "gsrnn.training";
    private const string StateKey = "gsrnn.state";
    private const string Format = "1";
    private const string ParametersName = "parameters";
    private const string BestName = "best";
    private const string AverageName = "average";
    private const string OptimizerPrefix = "optimizer.";
    private const string CarriedPrefix = "carried.";
    private const string ShardsKey = "gsrnn.shards";
    private const string PruningKey = "gsrnn.pruning";
    private const string PruningPrefix = "pruning.";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Recipe of the network.</summary>
    public required Recipe Recipe { get; init; }

    /// <summary>Hyperparameters of the run.</summary>
    public required TrainingSettings Settings { get; init; }

    /// <summary>Progress of the run.</summary>
    public required TrainingState State { get; init; }

    /// <summary>The block of parameters [P].</summary>
    public required float[] Parameters { get; init; }

    /// <summary>The block of the best parameters so far [P]; null where none are kept.</summary>
    public float[]? Best { get; init; }

    /// <summary>The moving average of the parameters [P]; null where there is none.</summary>
    public float[]? Average { get; init; }

    /// <summary>The optimiser's state, each [P], by name.</summary>
    public required IReadOnlyDictionary<string, float[]> Optimizer { get; init; }

    /// <summary>
    /// The network's state between two batches of a stream, by name (see <see cref="Network.CarriedState"/>), each [B, H]; empty elsewhere.
    /// </summary>
    public IReadOnlyDictionary<string, float[]> Carried { get; init; } = new Dictionary<string, float[]>();

    /// <summary>Shards of a batch (<see cref="ReplicaPlan.Shards"/>) with which the run goes on to the same bits.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Settings of the pruning in training, one JSON object with its name; null without one.</summary>
    public string? PruningSettings { get; init; }

    /// <summary>State of the pruning in training, by name (<see cref="ITrainedPruning.State"/>); empty without one.</summary>
    public IReadOnlyDictionary<string, float[]> Pruning { get; init; } = new Dictionary<string, float[]>();

    /// <summary>Writes the checkpoint, atomically.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Save(string path)
    {
        List<NamedArray> arrays = [Block(ParametersName, Parameters)];
        if (Best is not null) arrays.Add(Block(BestName, Best));
        if (Average is not null) arrays.Add(Block(AverageName, Average));
        arrays.AddRange(Optimizer.Select(pair => Block(OptimizerPrefix + pair.Key, pair.Value)));
        arrays.AddRange(Carried.Select(pair => Block(CarriedPrefix + pair.Key, pair.Value)));
        arrays.AddRange(Pruning.Select(pair => Block(PruningPrefix + pair.Key, pair.Value)));
        Dictionary<string, string> metadata = new()
        {
            [FormatKey] = Format,
            [ArchitectureKey] = Recipe.ToJson(),
            [SettingsKey] = Settings.ToJson(),
            [StateKey] = JsonSerializer.Serialize(State, Json),
        };
        if (Shards > 1) metadata.Add(ShardsKey, Shards.ToString(CultureInfo.InvariantCulture));
        if (PruningSettings is not null) metadata.Add(PruningKey, PruningSettings);
        SafetensorsFile.Write(path, arrays, metadata);
    }

    /// <summary>Reads and checks a checkpoint.</summary>
    /// <exception cref="InvalidCallException">There is no such file, or it is not a checkpoint.</exception>
    /// <exception cref="BrokenFileException">The file is broken.</exception>
    public static Checkpoint Load(string path)
    {
        SafetensorsFile file = SafetensorsFile.Read(path);
        if (!file.Metadata.TryGetValue(FormatKey, out string? format))
            throw new InvalidCallException($"{path} is not a checkpoint of a training run; a model file starts a new run instead.");
        if (format != Format) throw new InvalidCallException($"{path} is a checkpoint of format {format}; this program knows format {Format}.");
        try
        {
            Recipe recipe = Recipe.FromJson(Member(ArchitectureKey));
            long extent = recipe.Build().Extent;
            return new Checkpoint
            {
                Recipe = recipe,
                Settings = TrainingSettings.FromJson(Member(SettingsKey)),
                State = JsonSerializer.Deserialize<TrainingState>(Member(StateKey), Json)
                    ?? throw new BrokenFileException(path, $"{StateKey} is null."),
                Parameters = Values(ParametersName, extent) ?? throw new BrokenFileException(path, $"the array '{ParametersName}' is missing."),
                Best = Values(BestName, extent),
                Average = Values(AverageName, extent),
                Optimizer = Group(OptimizerPrefix, extent),
                Carried = Group(CarriedPrefix, null),
                Shards = file.Metadata.GetValueOrDefault(ShardsKey) is { } shards ? Whole(ShardsKey, shards) : 1,
                PruningSettings = file.Metadata.GetValueOrDefault(PruningKey) is { } pruning ? ObjectText(pruning) : null,
                Pruning = Group(PruningPrefix, null),
            };

            int Whole(string key, string text) =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
                    ? number : throw new BrokenFileException(path, $"{key} is no number above 0.");

            string ObjectText(string text) => JsonNode.Parse(text) is JsonObject ? text : throw new BrokenFileException(path, $"{PruningKey} is no JSON object.");

            Dictionary<string, float[]> Group(string prefix, long? count) => file.Arrays
                .Where(array => array.Name.StartsWith(prefix, StringComparison.Ordinal))
                .ToDictionary(array => array.Name[prefix.Length..], array => Values(array.Name, count)!);

            float[]? Values(string name, long? count)
            {
                if (file.Find(name) is not { } array) return null;
                if (array.Values is not float[] values || values.Length != (count ?? values.Length))
                    throw new BrokenFileException(path, $"{array} is not the {count} floats its architecture asks for.");
                int bad = Array.FindIndex(values, value => !float.IsFinite(value));
                return bad < 0 ? values : throw new BrokenFileException(path, $"'{name}' holds {values[bad]} at index {bad}.");
            }
        }
        catch (JsonException e)
        {
            throw new BrokenFileException(path, $"where the run stands cannot be read: {JsonFault.Describe(e)}.", e);
        }
        catch (InvalidCallException e)
        {
            throw new BrokenFileException(path, e.Message, e);
        }

        string Member(string key) =>
            file.Metadata.TryGetValue(key, out string? value) ? value : throw new BrokenFileException(path, $"its metadata lack '{key}'.");
    }

    private static NamedArray Block(string name, float[] values) => NamedArray.Create(name, new Compute.Shape(values.Length), values);
}
