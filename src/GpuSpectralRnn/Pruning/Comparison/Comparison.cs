using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>Settings of a comparison.</summary>
public sealed record ComparisonSettings
{
    /// <summary>The methods, in the order of the table.</summary>
    public IReadOnlyList<MethodSpec> Methods { get; init; } = MethodSpec.All;

    /// <summary>The requested sizes.</summary>
    public required IReadOnlyList<KeepSize> Keep { get; init; }

    /// <summary>Training of networks from scratch; the seed is the calibration's.</summary>
    public required TrainingSettings Training { get; init; }

    /// <summary>Fine-tuning of every network, the baseline included; null for none. The seed is the calibration's.</summary>
    public TrainingSettings? FineTuning { get; init; }

    /// <summary>
    /// Training of methods that prune while they train, from the trained network; null: half the epochs of <see cref="Training"/>, rounded
    /// up, at a constant rate. The seed is the calibration's.
    /// </summary>
    public TrainingSettings? PruningTraining { get; init; }

    /// <summary>How much work the refinement without labels of methods that have one may be.</summary>
    public RefinementBudget Refine { get; init; } = RefinementBudget.Auto;

    /// <summary>Sequences per batch of measurements.</summary>
    public int BatchSize { get; init; } = 64;
}

/// <summary>
/// The papers' comparison: every method at every size for each trained network, measured after compression and after the same fine-tuning. The test
/// sequences are used for nothing else.
/// </summary>
public sealed class Comparison
{
    /// <summary>Sequences on which sliced and masked networks are compared.</summary>
    private const int ParitySequences = 200;

    private readonly ComparisonSettings settings;
    private readonly ISequenceData train, test;
    private readonly ISequenceData? watched;
    private readonly Dictionary<string, double> times = []; // by units: networks of one shape compute the same, masked or factored or not
    private List<SharedRun> runs = [];
    private int next; // the place of the next one
    private Recipe? first; // the first trained network

    /// <summary>Checks settings and data.</summary>
    /// <param name="settings">Settings of the comparison.</param>
    /// <param name="train">The training set.</param>
    /// <param name="test">The test set.</param>
    /// <param name="watched">Validation set of an annealing schedule; null for none.</param>
    /// <exception cref="InvalidCallException">A setting is out of range, or the data have no targets.</exception>
    public Comparison(ComparisonSettings settings, ISequenceData train, ISequenceData test, ISequenceData? watched = null)
    {
        settings.Training.Validate();
        settings.FineTuning?.Validate();
        settings.PruningTraining?.Validate();
        if (settings.Keep.Count == 0) throw new InvalidCallException("`Keep` names no size; give the number of units to keep.");
        if (settings.Refine.IsOff && settings.Methods.FirstOrDefault(method => method.IsRefined) is { } refined)
            throw new InvalidCallException($"`Refine` off, and {refined.Name} is refined; leave it out, or choose auto or a number of steps.");
        foreach (ISequenceData data in (ISequenceData[])[train, test])
            if (data.Layout.Target == TargetKind.None)
                throw new InvalidCallException($"{data.Name} has no targets to compare by; give labels or values.");
        this.settings = settings;
        this.train = train;
        this.test = test;
        this.watched = watched;
    }

    /// <summary>
    /// Who shares the work: of each trained network the member measures every N-th, and <see cref="Merge"/> brings them together. Left out: nobody.
    /// </summary>
    public IReplicas Replicas { get; init; } = LocalReplicas.Instance;

    /// <summary>Called for each measured network, with the network as it is then, fine-tuned if requested.</summary>
    public Action<ComparisonRun, Network>? Measured { get; init; }

    /// <summary>Called while a network is trained, with a description of it.</summary>
    public Action<string, StepReport>? Stepped { get; init; }

    /// <summary>Networks measured for each trained network.</summary>
    public int RunsPerNetwork => 1 + (settings.Methods.Count * settings.Keep.Count);

    /// <summary>Networks measured so far, before <see cref="Merge"/> by this member.</summary>
    public IReadOnlyList<ComparisonRun> Runs => [.. runs.Select(shared => shared.Run)];

    /// <summary>The table so far: the baseline, then size by size the methods, each over the seeds that are measured.</summary>
    public IReadOnlyList<ComparisonRow> Rows =>
        [.. Runs.GroupBy(run => (run.Method, run.Keep)).Select(group => new ComparisonRow([.. group]))];

    /// <summary>Checks that the sizes fit a network, and that it has the size of the networks before it.</summary>
    /// <exception cref="InvalidCallException">It does not fit.</exception>
    public void Check(Recipe recipe) => Check(recipe, recipe.Build());

    private void Check(Recipe recipe, Graph graph)
    {
        foreach (KeepSize keep in settings.Keep) Budget.Check(recipe, graph, keep.Of(recipe, graph));
        if (first is null) return;
        (int[] before, int[] now) = (first.CountUnits(first.Build()), recipe.CountUnits(graph));
        if (!before.SequenceEqual(now))
            throw new InvalidCallException(
                $"Networks of {string.Join(",", before)} and {string.Join(",", now)} units make no common " +
                "table; compare networks of one size.");
    }

    /// <summary>Compares the methods on one more trained network.</summary>
    /// <param name="calibration">The network, the inputs to prune it by, the seed of everything random, and what ends the work.</param>
    /// <exception cref="InvalidCallException">The network does not fit the data, the sizes, or the networks before.</exception>
    /// <exception cref="OperationCanceledException">The calibration's token was cancelled; what is measured stays.</exception>
    public void Add(Calibration calibration)
    {
        Network network = calibration.Network;
        Check(network.Recipe, network.Graph);
        first ??= network.Recipe;
        using (Network copy = new(network.Recipe, network.Backend))
        {
            copy.Parameters.CopyFrom(network.Parameters);
            if (IsOwn()) Measure(calibration, copy, MethodSpec.Baseline, null, null);
        }

        foreach (KeepSize keep in settings.Keep)
        {
            Dictionary<(Delegate, SpectralSettings), PruningPlan> plans = []; // a refined method starts from the plan of its own plain form
            foreach (MethodSpec method in settings.Methods)
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                if (!IsOwn()) continue;
                if (method.Train is { } train)
                {
                    PruneInTraining(calibration, method.Name, keep, train);
                    continue;
                }

                if (method.Create is not { } create)
                {
                    TrainFromScratch(calibration, method.Name, keep);
                    continue;
                }

                if (!plans.TryGetValue((create, method.Settings), out PruningPlan? plan))
                    plans.Add((create, method.Settings), plan = create(method.Settings).Plan(calibration, keep.Of(network.Recipe, network.Graph)));
                Prune(calibration, method, plan, keep);
            }
        }
    }

    /// <summary>Brings together what all members have measured, in the order of one alone; each of them calls it once.</summary>
    public void Merge()
    {
        if (Replicas.Size > 1) runs = SharedRun.Merge(Replicas, runs);
    }

    // Whether the next network is this member's, one after the other.
    private bool IsOwn() => next++ % Replicas.Size == Replicas.Rank;

    private void Prune(Calibration calibration, MethodSpec method, PruningPlan plan, KeepSize keep)
    {
        Network network = calibration.Network;
        using Network small = Slicer.Slice(calibration.Weights, plan).ToNetwork(network.Backend);
        ISequenceData proof = Subset.Limit(calibration.Held, ParitySequences);
        Parity parity = Parity.OfPlan(network, small, plan, proof, settings.BatchSize);
        if (method.IsRefined) Refinement.Refine(calibration, small, plan, settings.Refine);
        Measure(calibration, small, method.Name, keep, plan, parity);
    }

    private void PruneInTraining(Calibration calibration, string name, KeepSize keep, Func<IReadOnlyList<int>, ITrainedPruning> create)
    {
        Network network = calibration.Network;
        using Network trained = new(network.Recipe, network.Backend);
        trained.Parameters.CopyFrom(network.Parameters);
        using ITrainedPruning pruning = create(keep.Of(network.Recipe, network.Graph));
        TrainingSettings how = settings.PruningTraining ?? settings.Training with { Epochs = (settings.Training.Epochs + 1) / 2, Schedule = new Schedule() };
        Train(calibration, trained, how, $"{name}, {keep} units", pruning);
        using Network? small = pruning.Finish();
        Parity? parity = small is null ? null : Parity.Compare(trained, small, Subset.Limit(calibration.Held, ParitySequences), settings.BatchSize);
        Measure(calibration, small ?? trained, name, keep, null, parity);
    }

    private void TrainFromScratch(Calibration calibration, string name, KeepSize keep)
    {
        (Recipe recipe, Graph graph) = (calibration.Network.Recipe, calibration.Network.Graph);
        var sizes = recipe.GroupUnits(graph).Zip(keep.Of(recipe, graph)).SelectMany(pair => pair.First.Select(axis => (axis, pair.Second)));
        Recipe small = recipe.Change(sizes.ToDictionary(pair => pair.axis, pair => pair.Second));
        using Network made = Network.Create(small, calibration.Network.Backend, calibration.Settings.Seed);
        Train(calibration, made, settings.Training, $"{name}, {keep} units");
        Measure(calibration, made, name, keep, null);
    }

    private void Measure(Calibration calibration, Network made, string name, KeepSize? keep, PruningPlan? plan, Parity? parity = null)
    {
        ComparisonRun run = new()
        {
            Method = name,
            Keep = keep,
            Seed = calibration.Settings.Seed,
            Recipe = made.Recipe,
            Weights = plan is null ? WeightCounts.Count(made) : WeightCounts.Count(calibration.Network.Recipe, plan),
            Parity = parity,
            Result = Evaluate(calibration, made),
            MillisecondsPerSequence = Time(made),
            MultiplyAdds = made.Graph.MultiplyAdds(calibration.Inputs.Layout),
        };
        if (settings.FineTuning is not null) run = run with { FineTuned = FineTune(calibration, made, run) };
        runs.Add(new SharedRun(next - 1, run));
        Measured?.Invoke(run, made);
    }

    private double Time(Network made)
    {
        string shape = string.Join('x', made.Recipe.CountUnits(made.Graph));
        if (!times.TryGetValue(shape, out double time))
            times.Add(shape, time = InferenceTime.MillisecondsPerSequence(made, test, settings.BatchSize));
        return time;
    }

    private Evaluation FineTune(Calibration calibration, Network made, ComparisonRun run)
    {
        string what = $"{run.Method}{(run.Keep is { } keep ? $", {keep} units" : "")}, fine-tuning";
        try
        {
            Train(calibration, made, settings.FineTuning!, what);
            return Evaluate(calibration, made);
        }
        catch (DivergedException)
        {
            // A network that compression has broken may not bear training any more: that is a result, and the other methods go on.
            return new Evaluation(run.Result.Metric, double.NaN, double.NaN, 0);
        }
    }

    private void Train(Calibration calibration, Network made, TrainingSettings how, string what, ITrainedPruning? pruning = null)
    {
        ISequenceData? seen = how.Schedule.Kind == ScheduleKind.Anneal ? watched : null;
        using Trainer trainer = new(made, train, seen, how with { Seed = calibration.Settings.Seed, Patience = 0 }, pruning)
        {
            Stepped = report => Stepped?.Invoke(what, report),
        };
        if (trainer.Run(calibration.Cancellation).IsCancelled) throw new OperationCanceledException(calibration.Cancellation);
    }

    private Evaluation Evaluate(Calibration calibration, Network made)
    {
        using Evaluator evaluator = new(made, test, settings.BatchSize);
        return evaluator.Run(calibration.Cancellation);
    }
}
