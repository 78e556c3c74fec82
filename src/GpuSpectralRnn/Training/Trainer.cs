using System.Diagnostics;
using System.Text.Json.Nodes;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// Trains a network by mini-batches. Steps run on the device; losses are downloaded every <see cref="ReportEvery"/> and at the end of an epoch. Runs
/// with the same seed on the same device give bitwise equal weights, also when interrupted and resumed. Masked weights stay zero.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly Network network;
    private readonly ISequenceData data;
    private readonly ISequenceData? validation;
    private readonly TrainingSettings settings;
    private readonly Optimizer optimizer;
    private readonly DeviceBatches feed;
    private readonly Evaluator? evaluator;
    private readonly LossTotals totals;
    private readonly TrainingStep step;
    private readonly Tensor? best;
    private readonly ITrainedPruning? pruning;
    private readonly WeightAverage? average;
    private string? dataHash;
    private readonly Stopwatch clock = new();
    private TrainingState state = new();
    private Evaluation? lastTraining;
    private Evaluation? lastValidation;
    private long firstStep;
    private long totalsStart;
    private string? lastCheckpoint;

    /// <summary>Checks the arguments and allocates all memory of the run.</summary>
    /// <param name="network">Trained in place.</param>
    /// <param name="data">The training set.</param>
    /// <param name="validation">The validation set, evaluated after every epoch; null for none.</param>
    /// <param name="settings">Hyperparameters.</param>
    /// <param name="pruning">What is pruned on the way; null for nothing.</param>
    /// <exception cref="InvalidCallException">
    /// A setting is out of range, the data do not fit the network, or it cannot be pruned so.
    /// </exception>
    public Trainer(
        Network network, ISequenceData data, ISequenceData? validation, TrainingSettings settings, ITrainedPruning? pruning = null)
    {
        settings.Validate();
        network.Recipe.CheckFits(data.Layout, data.Name);
        if (data.Layout.Target == TargetKind.None) throw new InvalidCallException($"{data.Name} has no targets to learn; give labels or values.");
        if (validation?.Layout.Target == TargetKind.None)
            throw new InvalidCallException($"{validation.Name} has no targets to compare with; give labels or values.");
        if (settings.Dropout > 0 && !network.Graph.Nodes.Any(node => node.Module is Networks.Modules.Dropout))
            throw new InvalidCallException(
                $"Dropout {settings.Dropout} works between layers and this network has one; give it two, or leave the dropout out.");
        if (settings.Patience > 0 && validation is null)
            throw new InvalidCallException("Patience needs validation data to watch; give some or leave the patience out.");
        if (settings.Schedule.Kind == ScheduleKind.Anneal && validation is null)
            throw new InvalidCallException("The schedule anneal needs validation data to watch; give some or choose another schedule.");
        if (pruning is not null && (settings.Patience > 0 || settings.Schedule.Kind == ScheduleKind.Anneal))
            throw new InvalidCallException(
                $"Patience and the schedule anneal bring earlier weights back, which {pruning.Name} has pruned further since; leave them out.");
        if (settings.Average > 0 && (pruning is not null || settings.Schedule.Kind == ScheduleKind.Anneal))
            throw new InvalidCallException(
                $"A moving average of the weights mixes those of before with what {pruning?.Name ?? "the schedule anneal brings back"}"
                + $"{(pruning is null ? "" : " has pruned")}; leave one out.");
        this.network = network;
        this.data = data;
        this.validation = validation;
        this.settings = settings;
        this.pruning = pruning;
        optimizer = new Optimizer(settings, network.Parameters);
        feed = new DeviceBatches(data, network.Backend, settings.BatchSize);
        evaluator = validation is null ? null : new Evaluator(network, validation, settings.BatchSize);
        totals = network.Backend.Loss.CreateTotals();
        step = new TrainingStep(network, feed, new TargetObjective(), optimizer, totals) { Pruning = pruning };
        average = settings.Average > 0 ? new WeightAverage(network.Parameters, settings.Average) : null;
        best = settings.Patience > 0 || settings.Schedule.Kind == ScheduleKind.Anneal
            ? network.Backend.Allocate(network.Parameters.Values.Shape) : null;
        state = state with { Data = Fingerprint };
        pruning?.Begin(network, new RunExtent(Steps, StepsPerEpoch, settings.Seed));
    }

    /// <summary>Path of the checkpoint that is written after every epoch and on cancellation; null for none.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>Interval between downloads of the losses and calls of <see cref="Stepped"/>.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(0.25);

    /// <summary>Called from the training thread every <see cref="ReportEvery"/>.</summary>
    public Action<StepReport>? Stepped { get; init; }

    /// <summary>Called from the training thread after every epoch.</summary>
    public Action<EpochReport>? EpochFinished { get; init; }

    /// <summary>
    /// Called after every epoch of a run that prunes, with the smaller network that slicing gives then; who is called owns it.
    /// </summary>
    public Action<Network>? Sliced { get; init; }

    /// <summary>Steps of one epoch.</summary>
    public int StepsPerEpoch => feed.BatchCount;

    /// <summary>Steps of the whole run.</summary>
    public long Steps => (long)StepsPerEpoch * settings.Epochs;

    /// <summary>Progress of the run.</summary>
    public TrainingState State => state;

    private string Fingerprint => $"{data.Name}, {data.Count} sequences";

    private string DataHash => dataHash ??= ContentHash.Compute(data);

    private bool IsOutOfPatience => settings.Patience > 0 && state.Epoch - state.BestEpoch >= settings.Patience && state.BestEpoch > 0;

    /// <summary>
    /// Runs one batch forward and backward and discards the results, so that the device compiles its kernels before <see cref="Run"/>. Weights,
    /// optimiser and random numbers are unchanged: the run is bitwise the same with and without it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The run has begun or was restored: the carried state of a stream would be lost.</exception>
    public void WarmUp()
    {
        if (state.Step > 0) throw new InvalidOperationException("A run is warmed up before its first step, and before a checkpoint is restored.");
        feed.Restart();
        feed.Next();
        pruning?.BeforeStep(1);
        step.Backpropagate(Mask);
        _ = network.Backend.Optimizer; // loads its kernels
        network.Backend.Synchronize();
    }

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

    /// <summary>
    /// Trains until the last epoch, early stopping or cancellation. With patience, or the schedule <see cref="ScheduleKind.Anneal"/>, the network
    /// holds the best weights afterwards.
    /// </summary>
    /// <exception cref="DivergedException">A loss, a weight or a validation loss is NaN or infinite.</exception>
    /// <exception cref="RunFailedException">A checkpoint cannot be written.</exception>
    public TrainingResult Run(CancellationToken cancellation = default)
    {
        double secondsBefore = state.Seconds;
        firstStep = state.Step;
        clock.Restart();
        bool isCancelled = false;
        while (!isCancelled && state.Epoch < settings.Epochs && !IsOutOfPatience) isCancelled = !RunEpoch(secondsBefore, cancellation);
        if (!isCancelled && best is not null && state.BestEpoch > 0)
        {
            network.Backend.Copy(best, network.Parameters.Values);
            lastValidation = state.Best;
        }
        else if (!isCancelled && average is not null)
        {
            network.Backend.Copy(average.Values, network.Parameters.Values);
        }

        network.Backend.Synchronize();
        return new TrainingResult(
            state.Epoch,
            state.Step,
            secondsBefore + clock.Elapsed.TotalSeconds,
            lastTraining,
            state.Batch == 0 ? lastValidation : null,
            state.BestEpoch,
            isCancelled,
            !isCancelled && IsOutOfPatience);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        optimizer.Dispose();
        feed.Dispose();
        evaluator?.Dispose();
        totals.Dispose();
        average?.Dispose();
        best?.Dispose();
    }

    // The rest of the epoch in progress; false if it was cancelled.
    private bool RunEpoch(double secondsBefore, CancellationToken cancellation)
    {
        feed.RestartShuffled(settings.Seed, state.Epoch, state.Batch);
        totals.Reset();
        totalsStart = state.Step;
        TrainingState start = state;
        TimeSpan lastReport = clock.Elapsed;
        for (int batch = state.Batch; batch < StepsPerEpoch; batch++)
        {
            if (cancellation.IsCancellationRequested) return Pause(start, secondsBefore);
            double rate = settings.Schedule.Rate(settings.LearningRate, state.Step, StepsPerEpoch, Steps, state.WorseEpochs);
            feed.Next();
            step.Run(rate, state.Step + 1, Mask);
            average?.Add(state.Step + 1);
            state = state with { Step = state.Step + 1, Batch = batch + 1 };
            if (clock.Elapsed - lastReport >= ReportEvery)
            {
                Evaluation sofar = ReadTotals(start);
                lastReport = clock.Elapsed;
                Stepped?.Invoke(new StepReport(state.Epoch + 1, settings.Epochs, state.Step, Steps, rate, sofar, SequencesPerSecond, Remaining)
                {
                    Pruning = Stepped is null ? null : pruning?.Report(state.Step),
                });
            }
        }

        lastTraining = ReadTotals(start);
        float[] parameters = CheckedParameters();
        pruning?.BeforeEvaluation();
        if (!Validate(cancellation)) return Pause(start, secondsBefore);
        if (!TrySlice(out PruningReport? pruned, cancellation)) return Pause(start, secondsBefore);
        bool isBest = lastValidation is not null && (state.Best is null || lastValidation.IsBetterThan(state.Best));
        if (isBest)
        {
            state = state with { Best = lastValidation, BestEpoch = state.Epoch + 1 };
            if (best is not null) network.Backend.Copy(average?.Values ?? network.Parameters.Values, best);
        }
        else if (lastValidation is not null)
        {
            state = state with { WorseEpochs = state.WorseEpochs + 1 };
            if (settings.Schedule.Kind == ScheduleKind.Anneal)
            {
                network.Backend.Copy(best!, network.Parameters.Values);
                parameters = CheckedParameters();
            }
        }

        state = state with
        { Epoch = state.Epoch + 1, Batch = 0, LossSum = 0, Correct = 0, Rows = 0, Seconds = secondsBefore + clock.Elapsed.TotalSeconds };
        SaveCheckpoint(parameters);
        EpochFinished?.Invoke(new EpochReport(state.Epoch, settings.Epochs, lastTraining, lastValidation, isBest, SequencesPerSecond, Remaining)
        {
            Pruning = pruned,
        });
        return true;
    }

    private DropoutMask Mask => new((float)settings.Dropout, settings.Seed, state.Step);

    // Loss and metric of the epoch so far: the sums at the start of this session (start) and those added since.
    private Evaluation ReadTotals(TrainingState start)
    {
        LossSums sums = totals.Read();
        if (sums.FirstBadCall >= 0) throw Diverged(totalsStart + sums.FirstBadCall + 1, "the loss is NaN or infinite");
        state = state with { LossSum = start.LossSum + sums.Loss, Correct = start.Correct + sums.Correct, Rows = start.Rows + sums.Rows };
        return Evaluation.From(new LossSums(state.LossSum, state.Correct, state.Rows, 0, -1), network.Recipe);
    }

    private bool Validate(CancellationToken cancellation)
    {
        if (evaluator is null) return true;
        average?.Lend();
        try
        {
            lastValidation = evaluator.Run(cancellation);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            average?.Return();
        }

        return double.IsFinite(lastValidation.Loss) ? true : throw Diverged(state.Step, $"the validation loss is {lastValidation.Loss}");
    }

    // What pruning has come to, and what slicing would give; false if that was cancelled.
    private bool TrySlice(out PruningReport? report, CancellationToken cancellation)
    {
        report = pruning?.Report(state.Step);
        if (report is null || pruning!.Slice() is not { } sliced) return true;
        try
        {
            report = report with
            {
                SlicedUnits = report.Axes.ToDictionary(axis => axis.Axis, axis => sliced.Graph.Axis(axis.Axis).Size),
                SlicedParameters = sliced.Graph.ParameterCount,
            };
            if (validation is not null)
            {
                using Evaluator judge = new(sliced, validation, settings.BatchSize);
                report = report with { Sliced = judge.Run(cancellation) };
            }

            if (Sliced is null) return true;
            Sliced(sliced);
            sliced = null;
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            sliced?.Dispose();
        }
    }

    // Stops within an epoch and writes a checkpoint of this step.
    private bool Pause(TrainingState start, double secondsBefore)
    {
        if (state.Step > totalsStart) ReadTotals(start);
        state = state with { Seconds = secondsBefore + clock.Elapsed.TotalSeconds };
        SaveCheckpoint(CheckedParameters());
        return false;
    }

    private float[] CheckedParameters()
    {
        float[] values = network.Parameters.Values.ToArray();
        if (network.Parameters.FindNotFinite(values) is { } bad) throw Diverged(state.Step, $"{bad.Name} became {bad.Value} at index {bad.Index}");
        return values;
    }

    private void SaveCheckpoint(float[] parameters)
    {
        if (CheckpointPath is null) return;
        new Checkpoint
        {
            Recipe = network.Recipe,
            Settings = settings,
            State = state with { DataHash = DataHash },
            Parameters = parameters,
            Best = state.BestEpoch > 0 ? best?.ToArray() : null,
            Average = average?.Values.ToArray(),
            Optimizer = optimizer.State.ToDictionary(s => s.Name, s => s.Values.ToArray()),
            Carried = Carries(state) ? network.CarriedState.ToDictionary(s => s.Name, s => s.Values.ToArray()) : new Dictionary<string, float[]>(),
            PruningSettings = pruning is null ? null : SettingsOf(pruning),
            Pruning = (pruning?.State ?? []).ToDictionary(s => s.Name, s => s.Values.ToArray()),
        }.Save(CheckpointPath);
        lastCheckpoint = $"{CheckpointPath} (after step {state.Step})";
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
            network.RestoreState(feed.BatchSize, name => checkpoint.Carried[name]);
        }
        catch (Exception e) when (e is KeyNotFoundException or ArgumentException)
        {
            throw new InvalidCallException("The checkpoint lacks the state that its next batch goes on from; it cannot be resumed.", e);
        }
    }

    private DivergedException Diverged(long step, string what)
    {
        string advice = settings.Clip > 0
            ? $"Lower the learning rate (now {settings.LearningRate}) or the limit on the gradients (now {settings.Clip})"
            : $"Clip the gradients (for example to 1) or lower the learning rate (now {settings.LearningRate})";
        string saved = lastCheckpoint is null ? "No checkpoint was written." : $"The last good checkpoint is {lastCheckpoint}.";
        return new DivergedException($"Training diverged at step {step} of {Steps}: {what}. {saved} {advice}.", step);
    }

    private double SequencesPerSecond
    {
        get
        {
            // Whole epochs count all sequences; within one, full batches.
            long done = SequencesAt(state.Step) - SequencesAt(firstStep);
            return done / Math.Max(clock.Elapsed.TotalSeconds, 1e-9);
        }
    }

    private TimeSpan Remaining
    {
        get
        {
            double share = (double)(Steps - state.Step) / Math.Max(1, state.Step - firstStep);
            return TimeSpan.FromSeconds(Math.Min(clock.Elapsed.TotalSeconds * share, TimeSpan.MaxValue.TotalSeconds / 2));
        }
    }

    private long SequencesAt(long step) => (step / StepsPerEpoch * data.Count) + (step % StepsPerEpoch * feed.BatchSize);
}
