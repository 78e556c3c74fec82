using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Hard-concrete gates on input and hidden units (Louizos, Welling, Kingma 2018; Wen et al. 2020; docs/method.md, section 14), trained with the network:
/// by a price on expected weights, or towards a number of units by an augmented Lagrangian of every axis, lambda e + c e^2 / 2 with e = E[open] - target and
/// lambda += eta e in each step, lambda at least 0, whose target falls from 1 over the first half of the run.
/// </summary>
/// <param name="settings">The aim.</param>
/// <exception cref="InvalidCallException">A setting is out of range.</exception>
public sealed class L0Pruning(L0Settings settings) : ITrainedPruning
{
    /// <summary>Its name in tables and calls.</summary>
    public const string MethodName = "l0";

    // P(z != 0) at the ends of the range of log alpha, -+ log 100: what a gate that is as shut, or as open, as can be still counts for.
    private static readonly double LeastOpen = Probability(-Math.Log(100)), MostOpen = Probability(Math.Log(100));

    private readonly L0Settings settings = TrainedPruningSettings.Checked(settings);
    private Network? network;
    private GateBlock? block;
    private ExpectedWeights? weights;
    private Tensor? multipliers, one;
    private Tensor[] multiplier = [];
    private int[] keep = []; // units of each gated axis at the end, with a target
    private RunExtent extent;

    /// <inheritdoc/>
    public string Name => MethodName;

    /// <inheritdoc/>
    public string Settings => settings.ToJson();

    /// <inheritdoc/>
    public bool SpansAllSteps => settings.HasTarget;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Values)> State => [.. Block.State, ("multipliers", multipliers!)];

    private GateBlock Block => block ?? throw new InvalidOperationException("Gates are there once a run has begun.");

    private Network Network => network ?? throw new InvalidOperationException("Gates are there once a run has begun.");

    /// <inheritdoc/>
    public void Begin(Network network, RunExtent extent)
    {
        if (this.network is not null) throw new InvalidOperationException("These gates are another run's.");
        string[] axes = FindAxes(network);
        (this.network, this.extent) = (network, extent);
        block = new GateBlock(network, axes, extent.Seed);
        block.Start(settings.Start);
        keep = settings.HasTarget ? [.. block.Axes.Select(Target)] : [];
        weights = new ExpectedWeights(network, block.Axes);
        multipliers = network.Backend.Allocate(new Shape(axes.Length * ParameterSpec.Alignment));
        multiplier = [.. axes.Select((_, i) => multipliers.View(i * ParameterSpec.Alignment, 1))];
        one = network.Backend.Allocate(new Shape(1));
        network.Backend.Fill(one, 1);
    }

    /// <inheritdoc/>
    public void BeforeStep(long step) => Block.Sample(step);

    /// <inheritdoc/>
    public void AfterBackward(long step)
    {
        Block.SumOpen();
        if (settings.PenaltyFactor is { } factor) weights!.WriteGradients(factor);
        else MoveMultipliers(step);
        Block.Backpropagate();
    }

    /// <inheritdoc/>
    public void AfterStep(long step, double rate) => Block.Step(settings.GateRate, step);

    /// <inheritdoc/>
    public void BeforeEvaluation() => Block.SetTestGates();

    /// <inheritdoc/>
    public PruningReport Report(long step)
    {
        using Tensor scratch = Network.Backend.Allocate(Block.LogAlpha.Shape);
        List<UnitCounts> counts = [];
        Dictionary<GatedAxis, double[]> open = [];
        foreach (GatedAxis axis in Block.Axes)
        {
            float[] z = TestGates(axis, scratch);
            Tensor part = scratch.View(0, axis.Units);
            Network.Backend.Gates.OpenProbabilities(axis.LogAlpha, part);
            open[axis] = [.. part.ToArray().Select(p => (double)p)];
            counts.Add(new UnitCounts(axis.Name, axis.Units, z.Count(x => x == 1), z.Count(x => x == 0), open[axis].Sum()));
        }

        float[] lambdas = multipliers!.ToArray();
        return new PruningReport(Name)
        {
            Axes = counts,
            Target = settings.HasTarget ? keep.Select((k, i) => Schedule(step, k, Block.Axes[i].Units)).Average() : null,
            Penalty = settings.PenaltyFactor ?? multiplier.Select((_, i) => (double)lambdas[i * ParameterSpec.Alignment]).Max(),
            ExpectedWeights = weights!.Compute(axis => open[axis]),
        };
    }

    /// <inheritdoc/>
    public Network? Slice()
    {
        using Tensor scratch = Network.Backend.Allocate(Block.LogAlpha.Shape);
        Dictionary<string, float[]> gates = Block.Axes.ToDictionary(axis => axis.Name, axis => TestGates(axis, scratch));
        return Slice(gates, gates.ToDictionary(pair => pair.Key, pair => pair.Value.Count(z => z != 0)));
    }

    /// <inheritdoc/>
    public Network? Finish()
    {
        using Tensor scratch = Network.Backend.Allocate(Block.LogAlpha.Shape);
        Dictionary<string, float[]> gates = [];
        Dictionary<string, int> counts = [];
        for (int i = 0; i < Block.Axes.Count; i++)
        {
            GatedAxis axis = Block.Axes[i];
            float[] z = TestGates(axis, scratch);
            if (settings.HasTarget)
                foreach (int j in Ranked(axis).Skip(keep[i])) z[j] = 0;
            gates.Add(axis.Name, z);
            counts.Add(axis.Name, settings.HasTarget ? keep[i] : z.Count(x => x != 0));
        }

        Network sliced = Slice(gates, counts);
        foreach (GatedAxis axis in Block.Axes) axis.Gates.Values.CopyFrom<float>(gates[axis.Name]);
        return sliced;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        block?.Dispose();
        multipliers?.Dispose();
        one?.Dispose();
    }

    // The axes that get gates: of every recurrence what it makes, and what it reads that no recurrence makes.
    internal string[] FindAxes(Network network)
    {
        Graph graph = network.Graph;
        Node[] recurrences = [.. graph.Nodes.Where(node => node.Module is Recurrent)];
        string[] hidden = [.. recurrences.Select(node => node.Output.Units[0].Name).Distinct()];
        string[] inputs = [.. recurrences.SelectMany(node => node.Inputs[0].Units).Select(axis => axis.Name).Distinct().Except(hidden)];
        string[] asked = settings.Gates switch
        {
            GatedUnits.Hidden => hidden,
            GatedUnits.Inputs => inputs,
            GatedUnits.All => [.. inputs, .. hidden],
            GatedUnits.Counted => [.. network.CountedAxes.Select(counted => counted.Axis.Name)],
            _ => [.. inputs.Where(name => Find(graph, name) is { } axis && (axis.IsFoldable || CanSelect(graph, axis))), .. hidden],
        };

        // Axes that are tied have gates in common.
        if (settings.Gates is GatedUnits.Prunable or GatedUnits.Counted)
            asked = [.. asked.Where((name, i) => !asked.Take(i).Any(other => Find(graph, other) is { } before && before.TiedTo.Contains(name)))];
        foreach (string name in asked.Where(name => !IsFeature(graph, name)))
        {
            bool selects = settings.Gates is GatedUnits.Prunable or GatedUnits.Counted;
            if (Find(graph, name) is { } found && (found.IsFoldable || (selects && CanSelect(graph, found)))) continue;
            string reason = graph.UsesOf(name).OfType<Opaque>().FirstOrDefault() is { } opaque
                ? opaque.Reason
                : "a module reads its units element by element, or together with others that must stay";
            throw new InvalidCallException($"Gates on the units of {name}: they cannot be taken away, since {reason}; gates need units that only weights read.");
        }

        foreach (string name in asked.Where(name => IsFeature(graph, name))) CheckFeature(graph, name);
        return asked.Length > 0 ? asked : throw new InvalidCallException("The network has no recurrence, whose units or inputs gates could close.");
    }

    private static PrunableAxis? Find(Graph graph, string name) => graph.PrunableAxes.FirstOrDefault(axis => axis.Name == name);

    // Whether gates on units that are read element by element can go into the weights that read them: nobody reads these weights otherwise.
    private static bool CanSelect(Graph graph, PrunableAxis axis)
    {
        UnitAxis[] axes = [axis.Axis, .. axis.TiedTo.Select(graph.Axis)];
        HashSet<string>[] gated = [.. graph.Nodes.Select(node => UnitGates.Columns(node, axes).Select(read => read.Parameter).ToHashSet())];
        return graph.Nodes.Zip(gated).All(
            pair => pair.First.Parameters.All(name => pair.Second.Contains(name) || !gated.Any(others => others.Contains(name))));
    }

    private static bool IsFeature(Graph graph, string name) => graph.Fields.Any(field => field.Axis == name);

    // Closed features are zeros in the weights that read them, which no other features may share.
    private static void CheckFeature(Graph graph, string name)
    {
        ReadsLinearly[] all = [.. graph.Nodes.SelectMany(node => node.Uses).OfType<ReadsLinearly>()];
        foreach (ReadsLinearly own in all.Where(use => use.Axis.Name == name))
        {
            if (all.FirstOrDefault(use => use.Parameter == own.Parameter && use.FirstColumn == own.FirstColumn && use.Axis.Name != name) is { } other)
                throw new InvalidCallException($"Gates on the features of {name}: the weights {own.Parameter} read {other.Axis.Name} too.");
        }
    }

    // sigmoid(log alpha - beta log(-gamma / zeta)).
    private static double Probability(double logAlpha) => 1 / (1 + Math.Exp(-logAlpha + (2.0 / 3 * Math.Log(0.1 / 1.1))));

    private int Target(GatedAxis axis)
    {
        if (settings.Keep is { } asked)
        {
            IReadOnlyList<IReadOnlyList<string>> groups = Network.Recipe.GroupUnits(Network.Graph);
            Budget.Check(Network.Recipe, Network.Graph, asked);
            int group = groups.TakeWhile(names => !names.Contains(axis.Name)).Count();
            return group < asked.Count ? asked[group] : axis.Units;
        }

        return Math.Clamp((int)Math.Round(settings.TargetFraction!.Value * axis.Units), 1, axis.Units);
    }

    // The share of an axis' units that should be open: from all down to the target over the first half.
    private double Schedule(long step, int kept, int units) => 1 + (((double)kept / units) - 1) * Math.Min(1, 2.0 * step / extent.Steps);

    // With e = E[open] / m - target: lambda += eta e, at least 0; dL/dp = (lambda + c e) / m.
    private void MoveMultipliers(long step)
    {
        IElementwiseOps ops = Network.Backend.Elementwise;
        for (int i = 0; i < multiplier.Length; i++)
        {
            GatedAxis axis = Block.Axes[i];
            (float share, float eta, float damping) = (1f / axis.Units, (float)settings.MultiplierRate, (float)settings.Damping);
            double open = Schedule(step, keep[i], axis.Units);
            float target = (float)((open * MostOpen) + ((1 - open) * LeastOpen));
            ops.AddScaled(-eta * target, one!, multiplier[i]);
            ops.AddMultiple(new(eta * share, axis.OpenSum, null, multiplier[i]));
            ops.Activate(ActivationKind.Relu, multiplier[i], multiplier[i]);
            Network.Backend.Fill(axis.OpenGradient, -damping * target * share);
            ops.AddMultiple(new(damping * share * share, axis.OpenSum, null, axis.OpenGradient));
            ops.AddMultiple(new(share, multiplier[i], null, axis.OpenGradient));
        }
    }

    private float[] TestGates(GatedAxis axis, Tensor scratch)
    {
        Tensor part = scratch.View(0, axis.Units);
        Network.Backend.Gates.TestGates(axis.LogAlpha, part);
        return part.ToArray();
    }

    // Units by falling log alpha.
    private static int[] Ranked(GatedAxis axis)
    {
        float[] alpha = axis.LogAlpha.ToArray();
        return [.. Enumerable.Range(0, alpha.Length).OrderByDescending(j => alpha[j])];
    }

    // The network of so many units of each axis, those of the largest log alpha; whoever reads them reads them times their gates.
    private Network Slice(Dictionary<string, float[]> gates, Dictionary<string, int> counts)
    {
        foreach ((string name, float[] z) in gates)
        {
            if (z.All(x => x == 0)) throw new EverythingPrunedException(Describe(name, z.Length));
        }

        Graph graph = Network.Graph;
        foreach (IReadOnlyList<string> group in Network.Recipe.GroupUnits(graph))
        {
            // Directions side by side keep as many units each.
            string[] gated = [.. group.Where(counts.ContainsKey)];
            foreach (string name in gated) counts[name] = gated.Max(other => counts[other]);
        }

        NetworkWeights read = NetworkWeights.Read(Network);
        Dictionary<string, Matrix> values = new(read.Values);
        foreach (GatedAxis axis in Block.Axes.Where(axis => Find(graph, axis.Name) is not { IsFoldable: true }))
            Fold(values, graph, axis.Gates, gates[axis.Name]);
        UnitPlan[] plans = [.. graph.PrunableAxes.Select(Plan)];
        return Slicer.Slice(read with { Values = values }, new PruningPlan(Name, plans)).ToNetwork(Network.Backend);

        UnitPlan Plan(PrunableAxis axis)
        {
            if (Block.Axes.FirstOrDefault(own => own.Gates.Axes.Contains(axis.Axis)) is not { } gated) return UnitPlan.Whole(axis.Units);
            int[] kept = [.. Ranked(gated).Take(counts[gated.Name]).Order()];
            return axis.IsFoldable ? UnitPlan.OfGates(gates[gated.Name], kept) : UnitPlan.Whole(axis.Units) with { Kept = kept };
        }
    }

    // Gates that no fold of a plan carries out, of features and of units that are only selected, go into the weights themselves.
    private static void Fold(Dictionary<string, Matrix> values, Graph graph, UnitGates gates, float[] z)
    {
        var reads = graph.Nodes.SelectMany(node => UnitGates.Columns(node, gates.Axes))
            .SelectMany(read => read.Columns.Select(first => (read.Parameter, First: first)));
        foreach ((string parameter, int first) in reads.Distinct())
        {
            Matrix matrix = values[parameter].Clone();
            bool isVector = graph.Parameters.First(spec => spec.Name == parameter).Shape.Rank == 1; // which stands as a column
            for (int j = 0; j < z.Length; j++)
            {
                if (isVector) matrix[first + j, 0] *= z[j];
                else for (int i = 0; i < matrix.Rows; i++) matrix[i, first + j] *= z[j];
            }

            values[parameter] = matrix;
        }
    }

    private string Describe(string axis, int units) => settings.PenaltyFactor is { } factor
        ? $"All {units} gates of {axis} are closed and nothing is left: `PenaltyFactor` {factor} is too large; take a tenth of it, or `TargetFraction`."
        : $"All {units} gates of {axis} are closed and nothing is left: the target came too fast; train for more epochs, or with a larger `TargetFraction`.";
}
