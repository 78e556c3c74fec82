using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Progress;
using GpuSpectralRnn.Data;
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
        "sliced too), gradual (small weights masked by a growing threshold; the size stays); best from a trained network, --init.")]
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
    ];

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
        _ => throw new InvalidCallException(
            $"--method {Method}: what prunes in training is {string.Join(", ", MethodSpec.All.Where(method => method.Train is not null).Select(method => method.Name))}; " +
            "the other methods prune a trained model: gsrnn prune."),
    };

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
        ModelFile.Save(Out, usable);
        return new EverythingPrunedException($"{e.Message} {Out} holds the sliced network of epoch {usableEpoch}, the last that had units left.");
    }

    private Pruned Prove(Network network, Network? sliced, ITrainedPruning pruning, ISequenceData data)
    {
        Parity? parity = sliced is null ? null : Parity.Compare(network, sliced, Subset.Limit(data, ParitySequences), Batch);
        return new Pruned(pruning.Name, network.Recipe, parity);
    }

    private static IEnumerable<(string Name, string Text)> Findings(Pruned pruned, Network result)
    {
        if (pruned.Parity is not { } parity)
        {
            // Nothing was sliced: the network has the size that it had.
            if (result.Parameters.Mask is not null)
                yield return (pruned.Method, $"{result.Parameters.CountKept():N0} of {result.Parameters.Count:N0} parameters are left, a mask: the size stays");
            yield break;
        }

        (Graph before, Graph after) = (pruned.Before.Build(), result.Graph);
        yield return (pruned.Method, $"{pruned.Before.Title} -> {result.Recipe.Title}");
        yield return ("parameters", $"{before.ParameterCount:N0} -> {after.ParameterCount:N0}");
        if (before.Fields.Count == 1) yield return ("multiply-adds per step", $"{before.MultiplyAddsPerStep:N0} -> {after.MultiplyAddsPerStep:N0}");
        yield return ("sliced against trained network", $"{parity}");
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
            ["epochs"] = new JsonArray([.. epochs.Where(epoch => epoch.Pruning is not null).Select(TrainingLog.ToJson)]),
        };
    }

    /// <summary>What pruning began with, and the proof that slicing lost nothing.</summary>
    private sealed record Pruned(string Method, Recipe Before, Parity? Parity);
}
