using GpuSpectralRnn.Interchange;
using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("prune", HelpText = "Cut a model down to a smaller dense one; needs inputs of the kind it was trained on, no labels.")]
internal sealed class PruneVerb : ModelVerb, IRidgeOption, IFineTuningOptions, IGroupOptions
{
    /// <summary>Number of sequences of the parity check.</summary>
    private const int ProofSequences = 500;

    [Option("out", Required = true, MetaValue = "MODEL", HelpText = "Where to write the smaller model.")]
    [WritesFile]
    public string Out { get; set; } = "";

    [Option("method", Default = MethodSpec.Spectral, MetaValue = "M", HelpText =
        "spectral (or auto; --criterion says which), adjoint, paper, random, magnitude-unit, iss-gm, and paper-without, random-without, " +
        "magnitude-unit-without, iss-gm-without as with --no-reconstruction (smaller models); magnitude-weight, random-weight, biregular-weight, column (masks: the " +
        "size stays); low-rank (two factors). All are refined unless --refine off; auto-refined, paper-refined, random-refined always.")]
    public string Method { get; set; } = MethodSpec.Spectral;

    [Option("keep", Separator = ',', MetaValue = "K[,K...]", HelpText =
        "Units to keep, one number for all layers or one for each, 64,32 or 64x32 (weights: K^2 of them; column: K columns; low-rank: the rank).")]
    public IEnumerable<string> Keep { get; set; } = [];

    [Option("fraction", MetaValue = "F", HelpText = "Share of the units to keep, above 0 and up to 1.")]
    public double? Fraction { get; set; }

    [Option("trace", MetaValue = "P", HelpText = "Keep as many units as eigenvalues hold this share of the states' power (iss-gm: variance).")]
    public double? Trace { get; set; }

    [Option("lambda", MetaValue = "L", HelpText = "Keep N(lambda) units, the degrees of freedom, rounded up.")]
    public double? Lambda { get; set; }

    [Option("tolerance", MetaValue = "E", HelpText =
        "Keep as few units as keep the small model's answers within this of the big one's, refined as --refine says, on held-out sequences.")]
    public double? Tolerance { get; set; }

    [Option("tolerance-on", MetaValue = "kl|metric", HelpText =
        "kl (default): the tolerance is of the mean KL to the big model, in nats (of a regression the mean squared difference); no labels. metric: " +
        "of how much the metric may fall (0.005: half a point of accuracy).")]
    public string? ToleranceOn { get; set; }

    [Option("round-to", Default = 1, MetaValue = "N", HelpText = "Round the numbers of units up to multiples of N.")]
    public int RoundTo { get; set; } = 1;

    [Option("shared-budget", HelpText = "Share the units out over the layers by what each costs the outputs, at the same number of parameters.")]
    public bool IsShared { get; set; }

    [Option("criterion", MetaValue = "C", HelpText =
        "spectral: auto (tries many, judged without labels), adjoint, fisher, paper or adjoint-output. By default, where refinement follows, the " +
        "adjoint with several ridges, else auto; for Elman networks that --fine-tune trains further the adjoint without reconstruction.")]
    public string? CriterionName { get; set; }

    [Option("theta", MetaValue = "X", HelpText = "criterion paper: weight of the input loss, 0 to 1 (default 0.5); the output loss gets the rest.")]
    public double? Theta { get; set; }

    [Option("select", MetaValue = "S", HelpText = "spectral: backward (default), greedy, swap, leverage or random; auto tries backward and greedy.")]
    public string? Select { get; set; }

    [Option("time-weighted", HelpText = "spectral: let steps weigh by what they do to the outputs (for ReLU); auto tries both.")]
    public bool IsTimeWeighted { get; set; }

    [Option("no-reconstruction", HelpText = "Drop units without letting the others stand for them.")]
    public bool NoReconstruction { get; set; }

    [Option("fold", MetaValue = "F", HelpText = "spectral: linear (default) or affine, with an intercept; auto tries both.")]
    public string? FoldName { get; set; }

    [Option("keep-embedding", MetaValue = "K", HelpText = "spectral: columns of the embedding to keep; all by default.")]
    public int? KeepEmbedding { get; set; }

    public double? Ridge { get; set; }

    [Option("refit", MetaValue = "R", HelpText =
        "What is fitted again: none, readout or rows (default: what proves best with --criterion auto or --refine off, else none).")]
    public string? RefitName { get; set; }

    [Option("refine", MetaValue = "auto|off|STEPS|SECONDSs", HelpText =
        "How long the small model's answers are brought closer to the big one's, without labels: auto (default; off with --fine-tune) while it " +
        "helps, off for the bare method, so many optimiser steps at each rate that it tries (250), or so many seconds (20s).")]
    public string? Refine { get; set; }

    public int FineTune { get; set; }

    public double? FineTuneRate { get; set; }

    public string? Mpi { get; set; }

    public override string Usage => $"MODEL {DataUsage} (--keep K | --fraction F | --trace P | --lambda L | --tolerance E) [options] --out MODEL";

    public override string Example => "gsrnn prune digits.safetensors --data digits --keep 42 --out small.safetensors";

    public override void Run(Terminal terminal)
    {
        CheckDataOptions();
        CandidateProgress candidates = new(terminal);
        CheckFineTuning(this);
        RefinementBudget refine = Refine is null ? FineTune > 0 ? RefinementBudget.Off : RefinementBudget.Auto : RefinementBudget.Parse(Refine);
        IPruningMethod method = CreateMethod(candidates.Add, refine);
        CheckTolerance();
        DataPart? part = Split is null ? null : EnumNames.Parse<DataPart>(Split, "--split");
        Recipe recipe = ModelFile.LoadRecipe(ModelPath);
        if (FineTune > 0 && method is AutoPruning && CriterionName is null && RefitName is null && !recipe.Build().HasGates)
        {
            // Elman networks learn further best from units as they are (docs/compression-results.md).
            method = new SpectralPruning(
                new SpectralSettings { IsTimeWeighted = true, Fold = FoldKind.None, Ridge = Ridge, KeepEmbedding = KeepEmbedding });
            terminal.Note("for training: adjoint, time-weighted, backward, no reconstruction (--criterion auto: what is closest untrained)");
        }

        Budget budget = CreateBudget();
        if (Tolerance is null) budget.Check(recipe);
        using IBackend backend = OpenBackend();
        DataSplits splits = new DataSource(this, recipe, terminal.Note).OpenAll();
        if (FineTune > 0 && splits.Train.Layout.Target == TargetKind.None)
            throw new InvalidCallException(
                $"--fine-tune {FineTune} needs labels, which {splits.Train.Name} lacks; leave it out: --refine, on by default, needs none.");
        using Network network = ModelFile.Load(ModelPath, backend);
        using Interruption interruption = new();
        Calibration calibration = new(network, splits.Train, new CalibrationSettings { Seed = Seed, Progress = terminal.Note }, interruption.Token)
        {
            Replicas = Group,
        };
        if (Group.Rank > 0)
        {
            // Statistics are collected together, everything else is the first one's.
            calibration.Serve();
            return;
        }

        ISequenceData? judged = ChooseJudged(part, splits);
        int[] keep = ChooseSizes(terminal, calibration, budget, method, splits, refine);
        candidates.Restart();
        PruningPlan plan = method.Plan(calibration, keep);
        candidates.Finish();
        foreach ((int index, PrunableAxis axis) in network.CountedAxes)
        {
            if (calibration.Gram(index).Trace() == 0)
                terminal.Note(
                    $"{axis.Name} is dead: " +
                    $"all its states are zero on {calibration.Inputs.Count:N0} sequences, so any units serve");
        }

        using Network small = Slicer.Slice(network, plan);
        Parity parity = Parity.OfPlan(network, small, plan, Subset.Limit(calibration.Held, ProofSequences), Batch);
        OutputDivergence bare = OutputDivergence.Judge(calibration, small);
        RefinementResult<float[]>? refined = Refinement.Refine(calibration, small, plan, refine);
        OutputDivergence judgement = refined is null ? bare : OutputDivergence.Judge(calibration, small);
        if (!double.IsFinite(judgement.Divergence))
            throw new RunFailedException(
                $"The answers on {calibration.Judged.Name} are not finite, those of the small network or already those of {ModelPath}; " +
                "gsrnn eval tells which. For the small one choose another --ridge or --criterion, or keep more units.");
        Measured? metric = judged is null ? null : Measure(network, small, judged, interruption.Token) with { IsSeen = judged == splits.Train };
        if (FineTune > 0 && !TrainFurther(terminal, small, splits, interruption.Token))
            throw new RunFailedException($"Stopped while fine-tuning; {Out} is not written. Leave --fine-tune out to have the model as pruned.");
        if (FineTune > 0 && metric is not null) metric = metric with { FineTuned = Evaluate(small, metric.Data, interruption.Token) };
        calibration.Release();
        ModelFile.Save(Out, small);
        Report(terminal, network, small, new Made(calibration, plan, parity, bare, refined, judgement), metric, candidates.Tried);
    }

    private IPruningMethod CreateMethod(Action<Candidate> tried, RefinementBudget refine)
    {
        MethodSpec method = MethodSpec.Find(Method, "--method");
        SpectralSettings settings = method.Settings;
        if (method.Train is not null) throw new InvalidCallException($"--method {Method} prunes while it trains: gsrnn train --init {ModelPath} --method {Method} ...");
        Func<SpectralSettings, IPruningMethod> create = method.Create
            ?? throw new InvalidCallException($"--method {Method} is for compare; train --hidden K trains a small network from scratch.");
        if (method.IsRefined && refine.IsOff)
            throw new InvalidCallException($"--method {Method} is refined; give --refine auto or a number of steps, or choose another method.");
        Refuse(create(settings) is AutoPruning, "--criterion", CriterionName is not null, "--method spectral");
        if (create(settings) is AutoPruning && CriterionName is null && RefitName is null && !refine.IsOff)
        {
            // What a long search and refits gain, refinement gains as well (docs/compression-results.md).
            MethodSpec start = MethodSpec.Find("auto-refined", "--method");
            (settings, create) = (start.Settings, start.Create!);
        }

        if (CriterionName is not (null or MethodSpec.Auto))
        {
            IReadOnlyList<string> criteria = EnumNames.All<SpectralCriterion>();
            if (!criteria.Contains(CriterionName))
                throw new InvalidCallException($"--criterion {CriterionName}: choose one of auto, {string.Join(", ", criteria)}.");
            settings = new SpectralSettings { Criterion = EnumNames.Parse<SpectralCriterion>(CriterionName, "--criterion"), Theta = 0.5 };
            create = chosen => new SpectralPruning(chosen);
        }

        IPruningMethod usual = create(settings);
        bool isChosen = usual is SpectralPruning, isSpectral = isChosen || usual is AutoPruning;
        Refuse(isSpectral, "--refit", RefitName is not null, "--method spectral");
        Refuse(isSpectral, "--keep-embedding", KeepEmbedding is not null, "--method spectral");
        Refuse(isChosen, "--select", Select is not null, "a --criterion other than auto");
        Refuse(isChosen, "--time-weighted", IsTimeWeighted, "a --criterion other than auto");
        Refuse(isChosen, "--fold", FoldName is not null, "a --criterion other than auto");
        Refuse(isChosen && settings.Criterion == SpectralCriterion.Paper, "--theta", Theta is not null, "--criterion paper");
        Refuse(method.DropsUnits, "--no-reconstruction", NoReconstruction, "methods that drop units");
        CheckRidge(this);
        FoldKind fold = NoReconstruction ? FoldKind.None : FoldName is null ? settings.Fold : EnumNames.Parse<FoldKind>(FoldName, "--fold");
        if (FoldName is not null && NoReconstruction) throw new InvalidCallException("--fold and --no-reconstruction exclude each other; give one.");
        if (FoldName is not null && fold == FoldKind.None)
            throw new InvalidCallException("--fold none: give --no-reconstruction instead, or linear or affine.");
        if (fold == FoldKind.Affine && IsTimeWeighted)
            throw new InvalidCallException("--fold affine lets all steps weigh alike; leave --time-weighted out, or give --fold linear.");
        if (Theta is < 0 or > 1 or double.NaN) throw new InvalidCallException($"--theta {Theta}: choose a number from 0 to 1.");
        IPruningMethod made = create(settings with
        {
            Theta = Theta ?? settings.Theta,
            Search = Select is null ? settings.Search : EnumNames.Parse<UnitSearch>(Select, "--select"),
            IsTimeWeighted = IsTimeWeighted,
            Fold = fold,
            Ridge = Ridge,
            KeepEmbedding = KeepEmbedding,
            Refit = RefitName is not null ? EnumNames.Parse<Refit>(RefitName, "--refit") : NoReconstruction ? Refit.None : settings.Refit,
        });
        if (made is AutoPruning auto) auto.Tried = tried;
        return made;
    }

    private Budget CreateBudget() => new()
    {
        Keep = Keep.Any() ? KeepSize.Parse(string.Join('x', Keep.Select(text => text.Trim()))).Units : null,
        Fraction = Fraction,
        Trace = Trace,
        Lambda = Lambda,
        RoundTo = RoundTo,
        IsShared = IsShared,
        IsCentred = MethodSpec.Find(Method, "--method").IsCentred,
    };

    private void CheckTolerance()
    {
        if (ToleranceOn is not (null or "kl" or "metric")) throw new InvalidCallException($"--tolerance-on {ToleranceOn}: choose kl or metric.");
        if (ToleranceOn is not null && Tolerance is null) throw new InvalidCallException("--tolerance-on says what a --tolerance is of; give one.");
        if (Tolerance is not null && (Keep.Any() || Fraction is not null || Trace is not null || Lambda is not null || IsShared))
            throw new InvalidCallException(
                "--tolerance finds the sizes itself; leave --keep, --fraction, --trace, --lambda and --shared-budget out.");
    }

    private int[] ChooseSizes(
        Terminal terminal, Calibration calibration, Budget budget, IPruningMethod method, DataSplits splits, RefinementBudget refine)
    {
        if (Tolerance is not { } tolerance) return budget.Resolve(calibration);
        ISequenceData watched = splits.Valid ?? calibration.Held;
        if (ToleranceOn == "metric" && watched.Layout.Target == TargetKind.None)
            throw new InvalidCallException(
                $"--tolerance-on metric needs labels, which {watched.Name} lacks; leave it out, or give --keep or --fraction.");
        ToleranceSearch search = ToleranceOn == "metric"
            ? ToleranceSearch.OnMetric(calibration, Prune, small => Evaluate(small, watched, calibration.Cancellation))
            : ToleranceSearch.OnDivergence(calibration, Prune);
        search.Tried = (keep, result) => terminal.Note($"{string.Join(",", keep)} units: {result}");
        return search.Find(tolerance, RoundTo);

        Network Prune(IReadOnlyList<int> keep)
        {
            PruningPlan plan = method.Plan(calibration, keep);
            Network small = Slicer.Slice(calibration.Network, plan);
            Refinement.Refine(calibration, small, plan, refine);
            return small;
        }
    }

    private bool TrainFurther(Terminal terminal, Network small, DataSplits splits, CancellationToken cancellation)
    {
        TrainingSettings settings = new()
        {
            Epochs = FineTune,
            BatchSize = Batch,
            LearningRate = FineTuneRate ?? TrainingVerb.DefaultRate(OptimizerKind.Adam, splits.Train.Layout.Steps, Data),
            Schedule = new Schedule { Kind = ScheduleKind.OneCycle },
            Seed = Seed,
        };
        ITrainingProgress progress = ITrainingProgress.For(terminal, splits.Train.Layout);
        using Trainer trainer = new(small, splits.Train, splits.Valid, settings) { Stepped = progress.Step, EpochFinished = progress.Epoch };
        return !progress.Show(() => trainer.Run(cancellation)).IsCancelled;
    }

    // The data of the metric; null without labels.
    private ISequenceData? ChooseJudged(DataPart? part, DataSplits splits)
    {
        ISequenceData? data = part switch
        {
            DataPart.Train => splits.Train,
            DataPart.Valid => splits.Valid,
            DataPart.Test => splits.Test,
            _ => splits.Test ?? splits.Valid ?? splits.Train,
        };
        if (data is null && part is not null)
            throw new InvalidCallException($"--split {Split}: there is no such part of the data; give its files or --holdout N.");
        return data?.Layout.Target == TargetKind.None ? null : data;
    }

    private Measured Measure(Network network, Network small, ISequenceData data, CancellationToken cancellation)
    {
        return new Measured(data, Evaluate(network, data, cancellation), Evaluate(small, data, cancellation), null);
    }

    private Evaluation Evaluate(Network network, ISequenceData data, CancellationToken cancellation)
    {
        using Evaluator evaluator = new(network, data, Batch);
        Evaluation result = evaluator.Run(cancellation);
        CheckFinite(result, data);
        return result;
    }

    private void Report(
        Terminal terminal,
        Network network,
        Network small,
        Made made,
        Measured? metric,
        IReadOnlyList<Candidate> tried)
    {
        (Calibration calibration, PruningPlan plan, Parity parity) = (made.Calibration, made.Plan, made.Parity);
        (OutputDivergence bare, RefinementResult<float[]>? refined, OutputDivergence judgement) = (made.Bare, made.Refined, made.Judgement);
        (Graph before, Graph after) = (network.Graph, small.Graph);
        WeightCounts weights = WeightCounts.Count(network.Recipe, plan);
        SequenceLayout layout = calibration.Inputs.Layout;
        string per = before.Fields.Count == 1 ? "step" : "sequence";
        (long workBefore, long workAfter) = before.Fields.Count == 1
            ? (before.MultiplyAddsPerStep, after.MultiplyAddsPerStep)
            : (before.MultiplyAdds(layout), after.MultiplyAdds(layout));
        bool dropsUnits = plan.DropsUnits;
        FoldLoss[] losses = dropsUnits ? [.. network.CountedAxes.Select(counted => FoldLoss.Compute(calibration, plan, counted.Index))] : [];
        terminal.Result($"{network} -> {small}");
        terminal.Result($"parameters: {before.ParameterCount:N0} -> {after.ParameterCount:N0}");
        terminal.Result($"multiply-adds per {per}: {workBefore:N0} -> {workAfter:N0}");
        if (plan.IsUnstructured)
            terminal.Result($"a mask: {weights.HiddenHidden:N0} recurrent weights are left, yet the model is neither smaller nor faster");
        terminal.Result($"sliced against masked network: {parity}");
        terminal.Result(
            $"inputs: {calibration.Inputs.Count:N0} sequences for statistics and refinement, {calibration.Held.Count:N0} to choose by, "
            + $"{calibration.Judged.Count:N0} to judge by");
        terminal.Result($"against the big network on the {calibration.Judged.Count:N0} sequences that nothing saw: {judgement}");
        if (refined is not null)
        {
            terminal.Result(
                $"refinement: from {bare} to {judgement} on these, in {refined.Seconds:0.0} s ({refined.Runs.Sum(run => run.Steps)} steps in "
                + $"{refined.Runs.Count} runs); --refine off leaves it out");
        }

        if (metric is { } m)
        {
            string seen = m.IsSeen ? " (on sequences that the compression saw)" : "";
            terminal.Result($"before: {m.Before}; after: {m.After}{(m.FineTuned is null ? "" : $"; fine-tuned: {m.FineTuned}")}{seen}");
        }

        terminal.Result($"model: {Out}");
        terminal.Result(new JsonObject
        {
            ["method"] = plan.Method,
            ["hidden"] = new JsonObject { ["before"] = Terminal.Numbers(network.Recipe.CountUnits(before)), ["after"] = Terminal.Numbers(small.Recipe.CountUnits(after)) },
            ["parameters"] = new JsonObject { ["before"] = before.ParameterCount, ["after"] = after.ParameterCount },
            [per == "step" ? "flopsPerStep" : "flopsPerSequence"] = new JsonObject { ["before"] = workBefore, ["after"] = workAfter },
            ["weights"] = new JsonObject
            {
                ["inputHidden"] = weights.InputHidden,
                ["hiddenHidden"] = weights.HiddenHidden,
                ["hiddenOutput"] = weights.HiddenOutput,
            },
            ["axes"] = new JsonArray([.. network.CountedAxes.Select(counted => JsonValue.Create(counted.Axis.Name))]),
            ["kept"] = new JsonArray([.. network.CountedAxes.Select(counted => Terminal.Numbers(plan.Axes[counted.Index].Kept))]),
            ["inputLoss"] = new JsonArray([.. losses.Select(loss => Terminal.Number(loss.Input))]),
            ["outputLoss"] = new JsonArray([.. losses.Select(loss => Terminal.Number(loss.Output))]),
            ["metric"] = metric is { } found
                ? new JsonObject
                {
                    ["name"] = found.Before.Metric,
                    ["before"] = Terminal.Number(found.Before.Value),
                    ["after"] = Terminal.Number(found.After.Value),
                    ["fineTuned"] = found.FineTuned is { } tuned ? Terminal.Number(tuned.Value) : null,
                }
                : null,
            ["parity"] = Terminal.Number(parity.Difference),
            ["divergence"] = Terminal.Number(judgement.Divergence),
            ["agreement"] = Agreement(judgement),
            ["inputs"] = new JsonObject
            {
                ["fitted"] = calibration.Inputs.Count,
                ["chosenBy"] = calibration.Held.Count,
                ["judgedBy"] = calibration.Judged.Count,
            },
            ["refinement"] = refined is null
                ? null
                : new JsonObject
                {
                    ["divergenceBefore"] = Terminal.Number(bare.Divergence),
                    ["divergence"] = Terminal.Number(judgement.Divergence),
                    ["seconds"] = Terminal.Number(refined.Seconds),
                    ["runs"] = new JsonArray([.. refined.Runs.Select(run => new JsonObject
                    {
                        ["rate"] = Terminal.Number(run.Rate),
                        ["steps"] = run.Steps,
                        ["divergence"] = Terminal.Number(run.Divergence),
                    })]),
                },
            ["candidates"] = new JsonArray([.. tried.Select(candidate => new JsonObject
            {
                ["settings"] = candidate.Settings.ToString(),
                ["divergence"] = Terminal.Number(candidate.OutputDivergence.Divergence),
                ["agreement"] = Agreement(candidate.OutputDivergence),
            })]),
            ["model"] = Out,
            ["device"] = network.Backend.Device.Id,
        });
    }

    private static JsonNode? Agreement(OutputDivergence judgement) => judgement.Agreement is { } share ? Terminal.Number(share) : null;

    /// <summary>What was made, and what it is like on the inputs to judge by, before refinement and after.</summary>
    private sealed record Made(
        Calibration Calibration,
        PruningPlan Plan,
        Parity Parity,
        OutputDivergence Bare,
        RefinementResult<float[]>? Refined,
        OutputDivergence Judgement);

    /// <summary>Metrics on labelled data: of the big network, the small one, and the small one after fine-tuning.</summary>
    private sealed record Measured(ISequenceData Data, Evaluation Before, Evaluation After, Evaluation? FineTuned)
    {
        /// <summary>Whether the compression saw the data.</summary>
        public bool IsSeen { get; init; }
    }

    private static void Refuse(bool fits, string option, bool isGiven, string owner)
    {
        if (isGiven && !fits) throw new InvalidCallException($"{option} belongs to {owner}.");
    }
}
