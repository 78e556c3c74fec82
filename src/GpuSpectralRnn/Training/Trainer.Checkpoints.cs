using System.Text.Json.Nodes;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <content>What a run keeps on disk, and how it goes on from there.</content>
public sealed partial class Trainer
{
    /// <summary>Restores a checkpoint; the next <see cref="Run"/> resumes from it.</summary>
    /// <exception cref="InvalidCallException">The checkpoint is of another network, other data or other settings (more or fewer epochs are
    /// accepted).</exception>
    public void Restore(Checkpoint checkpoint)
    {
        if (!checkpoint.Recipe.Equals(network.Recipe))
            throw new InvalidCallException(
                $"The checkpoint's network is another: {JsonDifference.Describe(checkpoint.Recipe.ToJson(), network.Recipe.ToJson())}; " +
                "resume with the same.");
        TrainingSettings before = checkpoint.Settings with { Epochs = settings.Epochs };
        if (before != settings)
            throw new InvalidCallException(
                $"The checkpoint was trained with other settings: {JsonDifference.Describe(before.ToJson(), settings.ToJson())}; " +
                "only the epochs may differ.");
        if (checkpoint.Settings.Epochs != settings.Epochs && settings.Schedule.SpansAllSteps)
            throw new InvalidCallException(
                $"The schedule {settings.Schedule.Kind.Name()} is laid out over all {checkpoint.Settings.Epochs} epochs of the checkpoint; " +
                $"with {settings.Epochs} its rate " +
                "would jump. Resume with as many epochs, or start a new run from the model with a schedule of its own.");
        CheckPruning(checkpoint);
        if (plan.IsFixed && checkpoint.Shards != plan.Shards)
            throw new InvalidCallException(
                $"The checkpoint's batches are in {checkpoint.Shards} shards, not in {plan.Shards}; resume with `Shards` {checkpoint.Shards}.");
        if (checkpoint.State.Data != Fingerprint)
            throw new InvalidCallException(
                $"The checkpoint was trained on {checkpoint.State.Data}, not on {Fingerprint}; resume with the same data.");
        if (checkpoint.State.DataHash is { } hash && !ContentHash.Matches(data, hash))
            throw new InvalidCallException($"{Fingerprint}, hold other numbers than when the checkpoint was written; resume with the same data.");
        if (best is not null && checkpoint.Best is null && checkpoint.State.BestEpoch > 0)
            throw new InvalidCallException("The checkpoint lacks the best weights that its settings keep; it cannot be resumed.");
        foreach ((string name, Tensor values) in optimizer.State)
        {
            if (!checkpoint.Optimizer.TryGetValue(name, out float[]? saved))
                throw new InvalidCallException($"The checkpoint lacks the optimiser's '{name}'; it cannot be resumed.");
            values.CopyFrom<float>(saved);
        }

        if (Carries(checkpoint.State)) RestoreCarried(checkpoint);
        foreach ((string name, Tensor values) in pruning?.State ?? []) values.CopyFrom<float>(checkpoint.Pruning[name]);
        network.Parameters.Values.CopyFrom<float>(checkpoint.Parameters);
        if (average is not null)
        {
            average.Values.CopyFrom<float>(
                checkpoint.Average ?? throw new InvalidCallException("The checkpoint lacks the average of the weights; it cannot be resumed."));
        }

        if (checkpoint.Best is not null) best?.CopyFrom<float>(checkpoint.Best);
        (state, dataHash) = (checkpoint.State, checkpoint.State.DataHash);
    }

    private void SaveCheckpoint(float[] parameters)
    {
        if (CheckpointPath is null) return;
        Dictionary<string, float[]> carried = Carries(state) ? shards.ReadCarried() : []; // of all members
        plan.Replicas.FirstDoes("write the checkpoint", () => Save(parameters, carried));
        lastCheckpoint = $"{CheckpointPath} (after step {state.Step})";
    }

    private void Save(float[] parameters, Dictionary<string, float[]> carried)
    {
        new Checkpoint
        {
            Recipe = network.Recipe,
            Settings = settings,
            State = state with { DataHash = DataHash },
            Parameters = parameters,
            Best = state.BestEpoch > 0 ? best?.ToArray() : null,
            Average = average?.Values.ToArray(),
            Optimizer = optimizer.State.ToDictionary(s => s.Name, s => s.Values.ToArray()),
            Carried = carried,
            Shards = plan.Shards,
            PruningSettings = pruning is null ? null : SettingsOf(pruning),
            Pruning = (pruning?.State ?? []).ToDictionary(s => s.Name, s => s.Values.ToArray()),
        }.Save(CheckpointPath!);
    }

    // Within an epoch over a stream the state of a batch is carried to the next.
    private bool Carries(TrainingState at) => data.Layout.IsStream && at.Batch > 0 && at.Batch < StepsPerEpoch;

    private static string SettingsOf(ITrainedPruning pruning) => new JsonObject
    {
        ["method"] = pruning.Name,
        ["settings"] = JsonNode.Parse(pruning.Settings),
    }.ToJsonString();

    private void CheckPruning(Checkpoint checkpoint)
    {
        if (pruning is null)
        {
            if (checkpoint.PruningSettings is not null)
                throw new InvalidCallException($"The checkpoint is of a run that prunes, {checkpoint.PruningSettings}; resume with the same method.");
            return;
        }

        if (checkpoint.PruningSettings is null)
            throw new InvalidCallException($"The checkpoint is of a run that does not prune; start {pruning.Name} from its model as a new run.");
        string now = SettingsOf(pruning);
        if (checkpoint.PruningSettings != now)
            throw new InvalidCallException(
                $"The checkpoint was pruned in another way: {JsonDifference.Describe(checkpoint.PruningSettings, now)}; resume with the same.");
        if (pruning.SpansAllSteps && checkpoint.Settings.Epochs != settings.Epochs)
            throw new InvalidCallException(
                $"{pruning.Name} is laid out over all {checkpoint.Settings.Epochs} epochs of the checkpoint; resume with as many, not {settings.Epochs}.");
        foreach ((string name, Tensor values) in pruning.State)
        {
            if (!checkpoint.Pruning.TryGetValue(name, out float[]? saved) || saved.Length != values.Count)
                throw new InvalidCallException(
                    $"The checkpoint's {pruning.Name} is of another model: it holds {saved?.Length ?? 0} numbers of '{name}' and this one has {values.Count}.");
        }
    }

    private void RestoreCarried(Checkpoint checkpoint)
    {
        try
        {
            shards.RestoreCarried(checkpoint.Carried);
        }
        catch (Exception e) when (e is KeyNotFoundException or ArgumentException)
        {
            throw new InvalidCallException("The checkpoint lacks the state that its next batch goes on from; it cannot be resumed.", e);
        }
    }
}
