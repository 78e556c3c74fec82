using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

/// <content>Pruning while a network is trained.</content>
internal sealed partial class TrainVerb
{
    /// <summary>Sequences on which the trained and the sliced network are compared.</summary>
    private const int ParitySequences = 500;

    private Network? latest, usable; // sliced after the last epoch; after the last that had units left
    private int usableEpoch;

    [Option("method", MetaValue = "M", HelpText =
        "Prune while training: l0 (gates on the units, closed by a penalty; the model is then sliced), iss (group lasso over the weights of each unit; " +
        "sliced too), gradual (small weights masked by a growing threshold; the size stays); best from a trained network, --init. Masks by --density, whose size " +
        "stays too: expander (small weights in rounds, as long as each layer keeps expanding), magnitude (in rounds without that), and from the first step " +
        "random-mask, biregular (equal degrees, an expander) or lift (an expander by 2-lifts).")]
    public string? Method { get; set; }

    [Option("target-fraction", MetaValue = "F", HelpText = "l0, iss: share of the units that stay in the end, between 0 and 1; gradual: of the weights.")]
    public double? TargetFraction { get; set; }

    [Option("l0-lambda", MetaValue = "X", HelpText = "l0: instead of a share, the price of each expected weight of a gate, for example 1e-5.")]
    public double? PenaltyFactor { get; set; }

    [Option("iss-lambda", MetaValue = "X", HelpText = "iss: instead of a share, the price of the norm of a unit's weights, for example 1.")]
    public double? GroupPenalty { get; set; }

    [Option("trace-norm", MetaValue = "X", HelpText =
        "Train to be compressible: the price of the singular values of what reads the units of each layer, for example 0.001; prunes nothing by itself.")]
    public double? TraceNormPrice { get; set; }

    [Option("gates", MetaValue = "W", HelpText =
        "l0: what has gates: hidden (units), inputs (an embedding's columns, or the features of a step), all, counted (what --keep counts), " +
        "or prunable (default: all that makes the model smaller: hidden and embedding; features stay).")]
    public string? GatesOn { get; set; }

    [Option("gate-lr", MetaValue = "X", HelpText = "l0: learning rate of the gates, by Adam (default 0.05; 50 to 100 times that of the weights).")]
    public double? GateRate { get; set; }

    [Option("density", MetaValue = "F", HelpText =
        "expander, magnitude, random-mask, biregular, lift: share of each layer's weights that stays, between 0 and 1.")]
    public double? Density { get; set; }

    [Option("step-fraction", MetaValue = "F", HelpText = "expander, magnitude: share of the weights left that each round takes away (default 0.2).")]
    public double? StepFraction { get; set; }

    [Option("stop", MetaValue = "S", HelpText =
        "expander: what ends a layer's pruning, whose last step is then undone: ramanujan (delta_R over its bound falls below --expansion-limit, default 0) or " +
        "gap ((sigma_1 - sigma_2) / sigma_1 does).")]
    public string? StopBy { get; set; }

    [Option("expansion-limit", MetaValue = "X", HelpText = "expander: the least that --stop allows.")]
    public double? ExpansionLimit { get; set; }

    [Option("rewind", MetaValue = "EPOCH", HelpText =
        "expander, magnitude: after each round the weights left go back to the end of this epoch, 0: to the first ones (default: they are trained further).")]
    public int? RewindEpoch { get; set; }

    [Option("masked", MetaValue = "W", HelpText =
        "expander, magnitude, random-mask, biregular, lift: which weights: hidden (W_hh), recurrent (W_ih too) or all (the read-out's too; default).")]
    public string? MaskedOn { get; set; }

    [Option("block", MetaValue = "RxC", HelpText =
        "expander, magnitude, random-mask, biregular, lift: keep or drop whole blocks of R rows and C columns, which products can skip, for example 8x8.")]
    public string? BlockText { get; set; }

    /// <inheritdoc/>
    /// <remarks>What is left when units close learns to do without them: not at a rate of almost nothing.</remarks>
    protected override string DefaultSchedule => Method is null ? base.DefaultSchedule : "constant";

    private void CheckPruningOptions()
    {
        using ITrainedPruning? pruning = CreatePruning();
        foreach ((string option, bool isGiven, string[] methods) in PruningOptions)
            if (isGiven && !methods.Contains(Method)) throw new InvalidCallException($"{option} belongs to --method {string.Join(" or ", methods)}.");
        if (Method is not null && Patience > 0) throw new InvalidCallException($"--patience brings earlier weights back, which --method {Method} has pruned further since; leave it out.");
    }

    private (string Option, bool IsGiven, string[] Methods)[] PruningOptions =>
    [
        ("--target-fraction", TargetFraction is not null, [L0Pruning.MethodName, IssPruning.MethodName, GradualPruning.MethodName]),
        ("--l0-lambda", PenaltyFactor is not null, [L0Pruning.MethodName]),
        ("--iss-lambda", GroupPenalty is not null, [IssPruning.MethodName]),
        ("--gates", GatesOn is not null, [L0Pruning.MethodName]),
        ("--gate-lr", GateRate is not null, [L0Pruning.MethodName]),
        ("--density", Density is not null, MaskMethods),
        ("--step-fraction", StepFraction is not null, [ExpanderPruning.MethodName, ExpanderPruning.PlainName]),
        ("--stop", StopBy is not null, [ExpanderPruning.MethodName]),
        ("--expansion-limit", ExpansionLimit is not null, [ExpanderPruning.MethodName]),
        ("--rewind", RewindEpoch is not null, [ExpanderPruning.MethodName, ExpanderPruning.PlainName]),
        ("--masked", MaskedOn is not null, MaskMethods),
        ("--block", BlockText is not null, MaskMethods),
    ];

    private static string[] MaskMethods =>
        [ExpanderPruning.MethodName, ExpanderPruning.PlainName, ConstructedMasks.RandomName, ConstructedMasks.BiregularName,
            ConstructedMasks.LiftedName];

    private ITrainedPruning? CreatePruning() => Method switch
    {
        not null when TraceNormPrice is not null => throw new InvalidCallException($"--trace-norm and --method {Method} exclude each other; give one."),
        null => TraceNormPrice is { } price ? new TraceNorm(price) : null,
        L0Pruning.MethodName => new L0Pruning(new L0Settings
        {
            TargetFraction = TargetFraction,
            PenaltyFactor = PenaltyFactor,
            Gates = GatesOn is null ? GatedUnits.Prunable : EnumNames.Parse<GatedUnits>(GatesOn, "--gates"),
            GateRate = GateRate ?? L0Settings.UsualGateRate,
        }),
        IssPruning.MethodName => new IssPruning(new IssSettings { TargetFraction = TargetFraction, GroupPenalty = GroupPenalty }),
        GradualPruning.MethodName => new GradualPruning(new GradualSettings { TargetFraction = TargetFraction }),
        ExpanderPruning.MethodName => new ExpanderPruning(Rounds(StopBy is null ? ExpansionStop.Ramanujan : ParseStop(StopBy))),
        ExpanderPruning.PlainName => new ExpanderPruning(Rounds(ExpansionStop.None)),
        ConstructedMasks.RandomName => new ConstructedMasks(Constructed(MaskConstruction.Random)),
        ConstructedMasks.BiregularName => new ConstructedMasks(Constructed(MaskConstruction.Biregular)),
        ConstructedMasks.LiftedName => new ConstructedMasks(Constructed(MaskConstruction.Lifted)),
        _ => throw new InvalidCallException(
            $"--method {Method}: what prunes in training is {string.Join(", ", MethodSpec.All.Where(method => method.Train is not null).Select(method => method.Name).Union(MaskMethods))}; " +
            "the other methods prune a trained model: gsrnn prune."),
    };

    private ExpanderSettings Rounds(ExpansionStop stop) => new()
    {
        Density = Density,
        Weights = Masked,
        Block = Block,
        StepFraction = StepFraction ?? ExpanderSettings.UsualStepFraction,
        Stop = stop,
        ExpansionLimit = ExpansionLimit,
        RewindEpoch = RewindEpoch,
    };

    private ConstructedMaskSettings Constructed(MaskConstruction construction) =>
        new() { Density = Density, Weights = Masked, Block = Block, Construction = construction };

    private MaskedWeights Masked => MaskedOn is null ? MaskedWeights.All : EnumNames.Parse<MaskedWeights>(MaskedOn, "--masked");

    private BlockExtent Block => BlockText is null ? BlockExtent.Single : BlockExtent.Parse(BlockText);

    private static ExpansionStop ParseStop(string text) => EnumNames.Parse<ExpansionStop>(text, "--stop") is var stop && stop != ExpansionStop.None
        ? stop
        : throw new InvalidCallException($"--stop none is --method {ExpanderPruning.PlainName}.");

    private void KeepUsable(EpochReport epoch)
    {
        if (latest is null) return;
        usable?.Dispose();
        (usable, latest, usableEpoch) = (latest, null, epoch.Epoch);
    }

    // The last network that had units left is what the user gets.
    private EverythingPrunedException NothingLeft(EverythingPrunedException e)
    {
        if (usable is null) return new EverythingPrunedException($"{e.Message} No epoch ended before; nothing was written.");
        if (Group.Rank == 0) ModelFile.Save(Out, usable);
        return new EverythingPrunedException($"{e.Message} {Out} holds the sliced network of epoch {usableEpoch}, the last that had units left.");
    }

    private Pruned Prove(Network network, Network? sliced, ITrainedPruning pruning, long steps, ISequenceData data)
    {
        IReadOnlyList<LayerReport> layers = pruning.Report(steps).Layers;
        Parity? parity = sliced is null ? null : Parity.Compare(network, sliced, Subset.Limit(data, ParitySequences), Batch);
        return new Pruned(pruning.Name, network.Recipe, parity, layers);
    }

    private static IEnumerable<(string Name, string Text)> Findings(Pruned pruned, Network result)
    {
        if (pruned.Parity is not { } parity)
        {
            // Nothing was sliced: the network has the size that it had.
            if (result.Parameters.Mask is not null)
                yield return (pruned.Method, $"{result.Parameters.CountKept():N0} of {result.Parameters.Count:N0} parameters are left, a mask: the size stays");
            foreach (LayerReport layer in pruned.Layers) yield return ("mask", $"{layer}");
            yield break;
        }

        (Graph before, Graph after) = (pruned.Before.Build(), result.Graph);
        yield return (pruned.Method, (pruned.Before, result.Recipe) is (Architecture big, Architecture small)
            ? $"{big.Cell.Name()} {Sizes(big)} -> {Sizes(small)}"
            : $"{pruned.Before.Title} -> {result.Recipe.Title}");
        yield return ("parameters", $"{before.ParameterCount:N0} -> {after.ParameterCount:N0}");
        if (before.Fields.Count == 1) yield return ("multiply-adds per step", $"{before.MultiplyAddsPerStep:N0} -> {after.MultiplyAddsPerStep:N0}");
        yield return ("sliced against trained network", $"{parity}");
        if (result.Parameters.Mask is not null)
            yield return (pruned.Method, $"{result.Parameters.CountKept():N0} of {result.Parameters.Count:N0} parameters are left, a mask; units without weights are sliced away");
        foreach (LayerReport layer in pruned.Layers) yield return ("mask", $"{layer}");
    }

    private static JsonObject ToJson(Pruned pruned, Network result, IReadOnlyList<EpochReport> epochs)
    {
        Graph before = pruned.Before.Build();
        (Architecture? big, Architecture? small) = (pruned.Before as Architecture, result.Recipe as Architecture);
        return new JsonObject
        {
            ["method"] = pruned.Method,
            ["hidden"] = new JsonObject
            {
                ["before"] = Terminal.Numbers(pruned.Before.CountUnits(before)),
                ["after"] = Terminal.Numbers(result.Recipe.CountUnits(result.Graph)),
            },
            ["inputs"] = big is null ? null : new JsonObject { ["before"] = big.Inputs, ["after"] = small!.Inputs },
            ["parameters"] = new JsonObject { ["before"] = before.ParameterCount, ["after"] = result.Graph.ParameterCount },
            ["kept"] = result.Parameters.CountKept(),
            ["flopsPerStep"] = big is null ? null : new JsonObject { ["before"] = big.MultiplyAddsPerStep, ["after"] = small!.MultiplyAddsPerStep },
            ["parity"] = pruned.Parity is { } parity ? Terminal.Number(parity.Difference) : null,
            ["layers"] = pruned.Layers.Count == 0 ? null : TrainingLog.ToJson(pruned.Layers),
            ["epochs"] = new JsonArray([.. epochs.Where(epoch => epoch.Pruning is not null).Select(TrainingLog.ToJson)]),
        };
    }

    private static string Sizes(Architecture architecture) =>
        $"{architecture.Inputs}-{string.Join("-", architecture.Hidden)}-{architecture.Outputs}";

    /// <summary>What pruning began with, and the proof that slicing lost nothing.</summary>
    private sealed record Pruned(string Method, Recipe Before, Parity? Parity, IReadOnlyList<LayerReport> Layers);
}
