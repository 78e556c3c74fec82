using System.Diagnostics;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// Trains a network by mini-batches. Steps run on the device; losses are downloaded every <see cref="ReportEvery"/> and at the end of an epoch. Runs
/// with the same seed on the same device give bitwise equal weights, also when interrupted and resumed. Masked weights stay zero.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    /// <summary>Steps after which the members of a group compare their weights, beside the ends of epochs.</summary>
    private const int StepsBetweenChecks = 1000;

    private readonly Network network;
    private readonly ISequenceData data;
    private readonly ISequenceData? validation;
    private readonly TrainingSettings settings;
    private readonly Optimizer optimizer;
    private readonly ReplicaPlan plan;
    private readonly BatchShards shards;
    private readonly Evaluator? evaluator;
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
    /// <param name="plan">Who else trains, and how batches are shared out; every member makes a trainer of its own. Left out: nobody.</param>
    /// <exception cref="InvalidCallException">
    /// A setting is out of range, the data do not fit the network or the group, or it cannot be pruned so.
    /// </exception>
    public Trainer(
        Network network,
        ISequenceData data,
        ISequenceData? validation,
        TrainingSettings settings,
        ITrainedPruning? pruning = null,
        ReplicaPlan? plan = null)
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
        this.plan = plan ?? ReplicaPlan.Alone;
        optimizer = new Optimizer(settings, network.Parameters);
        shards = new BatchShards(network, data, settings.BatchSize, this.plan);
        evaluator = validation is null ? null : new Evaluator(network, validation, settings.BatchSize, this.plan);
        step = new TrainingStep(network, shards, new TargetObjective(), optimizer) { Pruning = pruning };
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
    public int StepsPerEpoch => shards.BatchCount;

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
        bool stops = false, reports = false;
        shards.RestartShuffled(settings.Seed, 0);
        shards.Next(ref stops, ref reports);
        pruning?.BeforeStep(1);
        step.Backpropagate(Mask);
        _ = network.Backend.Optimizer; // loads its kernels
        network.Backend.Synchronize();
    }

    /// <summary>
    /// Trains until the last epoch, early stopping or cancellation. With patience, or the schedule <see cref="ScheduleKind.Anneal"/>, the network
    /// holds the best weights afterwards.
    /// </summary>
    /// <exception cref="DivergedException">A loss, a weight or a validation loss is NaN or infinite.</exception>
    /// <exception cref="RunFailedException">A checkpoint cannot be written.</exception>
    /// <exception cref="InvalidCallException">Members of a group have other training sets.</exception>
    public TrainingResult Run(CancellationToken cancellation = default)
    {
        double secondsBefore = state.Seconds;
        firstStep = state.Step;
        clock.Restart();
        if (plan.Replicas.Size > 1) plan.Replicas.CheckEqual("training set", DataHash);
        plan.Replicas.ShareWeights(network);
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
        shards.Dispose();
        evaluator?.Dispose();
        average?.Dispose();
        best?.Dispose();
    }

    // The rest of the epoch in progress; false if it was cancelled.
    private bool RunEpoch(double secondsBefore, CancellationToken cancellation)
    {
        shards.RestartShuffled(settings.Seed, state.Epoch, state.Batch);
        shards.ResetTotals();
        totalsStart = state.Step;
        TrainingState start = state;
        TimeSpan lastReport = clock.Elapsed;
        for (int batch = state.Batch; batch < StepsPerEpoch; batch++)
        {
            // Of a group all members stop, and report, before the same step.
            (bool stops, bool reports) = (cancellation.IsCancellationRequested, clock.Elapsed - lastReport >= ReportEvery);
            if (!stops || plan.Replicas.Size > 1) shards.Next(ref stops, ref reports);
            if (stops) return Pause(start, secondsBefore);
            double rate = settings.Schedule.Rate(settings.LearningRate, state.Step, StepsPerEpoch, Steps, state.WorseEpochs);
            step.Run(rate, state.Step + 1, Mask);
            average?.Add(state.Step + 1);
            state = state with { Step = state.Step + 1, Batch = batch + 1 };
            if (plan.Replicas.Size > 1 && state.Step % StepsBetweenChecks == 0) plan.Replicas.CheckWeights(CheckedParameters(), state.Step);
            if (reports)
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
        plan.Replicas.CheckWeights(parameters, state.Step);
        if (plan.Replicas.Size > 1) cancellation = CancellationToken.None; // at the next step, where all members learn of it
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
        LossSums sums = shards.ReadTotals();
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
                using Evaluator judge = new(sliced, validation, settings.BatchSize, plan);
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

    private long SequencesAt(long step) => (step / StepsPerEpoch * data.Count) + (step % StepsPerEpoch * shards.BatchSize);
}
