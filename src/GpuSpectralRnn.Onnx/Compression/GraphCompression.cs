using Google.Protobuf;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Proof;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Refinement;
using GpuSpectralRnn.Onnx.Specialization;
using GpuSpectralRnn.Pruning;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// Compresses the recurrent nodes of an ONNX graph in place: the same inputs and outputs, fewer units. The sequences of the calibration data are
/// divided: three fifths for the statistics, a fifth to choose between candidates, the last fifth to verify the result.
/// </summary>
public sealed class GraphCompression : IDisposable
{
    private const int LeastSequences = 3;

    private readonly string path;
    private readonly ModelProto model;
    private readonly byte[] file;
    private readonly InferenceSession original;
    private readonly GraphCalls calls;
    private readonly List<NodeGroup> groups = [];
    private readonly RecurrentNode[] nodes;
    private readonly int judged;
    private readonly int proven;
    private readonly OutputRecord judgedOutputs;
    private readonly Dictionary<NodeGroup, NodeTrace> traces = [];
    private readonly HashSet<NodeGroup> hasAdjoints = [];
    private readonly Dictionary<string, SmallGraph> made = [];
    private readonly CancellationToken cancellation;

    /// <summary>Reads a graph, runs the calibration and collects the statistics of its recurrent nodes.</summary>
    /// <param name="path">The ONNX file.</param>
    /// <param name="data">By the names of the inputs (<see cref="CalibrationData"/>).</param>
    /// <param name="options">Options of the calls.</param>
    /// <param name="progress">Called with the sequences done and their number.</param>
    /// <param name="cancellation">Stops between sequences, and later between steps of refinement.</param>
    /// <exception cref="InvalidCallException">The graph has no recurrent nodes or one that cannot be compressed, or the data do not fit.</exception>
    /// <exception cref="RunFailedException">The file is broken or does not run, or its outputs change from run to run.</exception>
    public GraphCompression(
        string path, IReadOnlyDictionary<string, INumberArray> data, CallOptions options,
        Action<int, int>? progress = null, CancellationToken cancellation = default)
        : this(path, [new CalibrationSet(data)], options, progress, cancellation)
    {
    }

    /// <summary>The same of data in memory.</summary>
    /// <inheritdoc cref="GraphCompression(string, IReadOnlyDictionary{string, INumberArray}, CallOptions, Action{int, int}?, CancellationToken)"/>
    public GraphCompression(
        string path, IReadOnlyDictionary<string, NamedArray> data, CallOptions options,
        Action<int, int>? progress = null, CancellationToken cancellation = default)
        : this(path, [new CalibrationSet(data)], options, progress, cancellation)
    {
    }

    /// <summary>Reads a graph, runs the calibration and collects the statistics of its recurrent nodes.</summary>
    /// <param name="path">The ONNX file.</param>
    /// <param name="data">One set, or one for each value of the input that chooses between branches.</param>
    /// <param name="options">Options of the calls.</param>
    /// <param name="progress">Called with the sequences done and their number.</param>
    /// <param name="cancellation">Stops between sequences, and later between steps of refinement.</param>
    /// <exception cref="InvalidCallException">The graph has no recurrent nodes or one that cannot be compressed, or the data do not fit.</exception>
    /// <exception cref="RunFailedException">The file is broken or does not run, or its outputs change from run to run.</exception>
    public GraphCompression(
        string path, IReadOnlyList<CalibrationSet> data, CallOptions options,
        Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        (this.path, this.cancellation) = (path, cancellation);
        model = OnnxFile.Load(path);
        nodes = FindNodes();
        file = model.ToByteArray();
        original = RuntimeSession.Open(file, path);
        calls = new GraphCalls(original, data, options, ComparedInputs.Find(model));
        if (options.IsSpecialized)
        {
            SpecialFor = SpecialGraph.Apply(model, original, calls);
            nodes = FindNodes();
        }

        if (calls.Rows < LeastSequences)
            throw new InvalidCallException(
                $"`data` holds {calls.Rows} sequences; give {LeastSequences} or more: some are held apart for the proof.");
        int fifth = Math.Max(1, calls.Rows / 5) * calls.Variants;
        (judged, proven) = (calls.Sequences - 2 * fifth, calls.Sequences - fifth);
        Outputs = [.. original.OutputMetadata.Where(output => output.Value.IsTensor && OutputRecord.CanRead(output.Value.ElementDataType))
            .Select(output => new GraphOutput(output.Key, options.States.ContainsKey(output.Key)))];
        if (Outputs.All(output => output.IsState))
            throw new InvalidCallException($"{path} has no output of numbers beside its states; nothing can be compared.");
        CheckDeterminism();
        Collect(progress, cancellation);
        judgedOutputs = OutputRecord.Record(original, calls, Outputs, judged, proven);
    }

    /// <summary>Sequences that neither the statistics nor the choice of candidates saw.</summary>
    public int HeldOut => calls.Sequences - proven;

    /// <summary>The inputs of which sequences are called with several values, for example <c>sr=8000, 16000</c>; null where there are none.</summary>
    public string? Chosen => calls.Chosen;

    /// <summary>Names and units of the nodes that the calibration ran and that will be compressed, each weight matrix once.</summary>
    public IReadOnlyList<(string Name, int Units)> Layers => [.. Active.Select(group => (group.First.Name, group.Weights.Hidden))];

    /// <summary>The calls that the smaller graph is for, for example <c>input [1, 576], sr=16000</c>; null where it takes what the original takes.</summary>
    public string? SpecialFor { get; }

    /// <summary>What makes the file itself doubtful, for its user to check; null where nothing does.</summary>
    public string? Doubt => RecurrentNode.FindDoubt(model, nodes);

    internal IReadOnlyList<GraphOutput> Outputs { get; }

    private NodeGroup[] Active => [.. groups.Where(group => group.Statistics.Steps > 0)];

    /// <summary>Units to keep for a share of each layer's.</summary>
    /// <exception cref="InvalidCallException">It is not more than 0 and at most 1.</exception>
    public int[] OfShare(double fraction) => fraction > 0 && fraction <= 1
        ? [.. Active.Select(group => Math.Clamp((int)Math.Round(fraction * group.Weights.Hidden), 1, group.Weights.Hidden))]
        : throw new InvalidCallException($"`fraction` {fraction} is not a share; give more than 0 and at most 1, for example 0.5.");

    /// <summary>Units to keep for a fraction of the weights of all layers together, removed where the loss of the states is least.</summary>
    /// <exception cref="InvalidCallException">It is not more than 0 and at most 1.</exception>
    public int[] OfSharedBudget(double share) => SharedBudget.Allocate(
        [.. Active.Select(group => group.Weights)], [.. Active.Select(group => group.Paths(UnitCriterion.Both))], OfShare(share));

    /// <summary>Units to keep, one number for all layers or one for each.</summary>
    /// <exception cref="InvalidCallException">A layer has not so many units, or there are other layers.</exception>
    public int[] OfSize(KeepSize size)
    {
        NodeGroup[] active = Active;
        if (size.Units.Count != 1 && size.Units.Count != active.Length)
            throw new InvalidCallException(
                $"`keep` {size}: the graph has {active.Length} recurrent layers that ran; give one number, or one for each.");
        int[] keep = [.. active.Select((_, i) => size.Units[size.Units.Count == 1 ? 0 : i])];
        for (int i = 0; i < keep.Length; i++)
        {
            int units = active[i].Weights.Hidden;
            if (keep[i] > units)
                throw new InvalidCallException($"`keep` {keep[i]} is impossible for {active[i].First} of {units} units; give 1 to {units}.");
        }

        return keep;
    }

    /// <summary>How much work the refinement after cutting may be.</summary>
    public RefinementBudget Refine { get; init; } = RefinementBudget.Off;

    /// <summary>Receives a line before each refinement that says how long it will take.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>Whether the states between calls shrink too: the inputs and outputs of the smaller graph then hold the kept units alone.</summary>
    public bool ShrinksState { get; init; }

    /// <summary>The values of the graph at which refinement compares, layer by layer.</summary>
    public IReadOnlyList<string> Compared => Refine.IsOff ? [] :
        [.. Active.Where(group => TraceOf(group).Obstacle is null)
            .Select(group => $"{group.First} at {string.Join(", ", TraceOf(group).Objectives.Select(objective => objective.Tail.Value))}")];

    /// <summary>Why a layer was not refined, layer by layer; empty where all of them can be.</summary>
    public IReadOnlyList<string> NotRefined => Refine.IsOff ? [] :
        [.. Active.Where(group => TraceOf(group).Obstacle is not null).Select(group => $"{group.First}: {TraceOf(group).Obstacle}")];

    /// <summary>
    /// The smaller graph: the candidate whose outputs are closest to the original's on the sequences held out for the choice, refined where that
    /// brings it closer.
    /// </summary>
    public SmallGraph Compress(IReadOnlyList<int> keep)
    {
        string size = string.Join('x', keep);
        if (made.TryGetValue(size, out SmallGraph? known)) return known;
        FindAdjoints();
        List<GraphCandidate> candidates = [.. Enum.GetValues<UnitCriterion>()
            .Where(criterion => criterion != UnitCriterion.Outputs || Active.Any(group => group.Adjoint is not null))
            .Select(criterion => Judge(Plans(keep, criterion), criterion.ToString().ToLowerInvariant()))];
        GraphCandidate best = candidates.MinBy(candidate => candidate.Difference)!;

        // Behind a pointwise operator only a selection folds; and where it is no worse, its file is smaller.
        NodePlan?[] shown = [.. best.Plans.Select(plan => plan is null ? null : plan with { Restore = plan.Selection })];
        GraphCandidate selected = Judge(shown, best.Criterion + ", without reconstruction");
        candidates.Add(selected);
        if (selected.Difference <= best.Difference) best = selected;
        (GraphCandidate Best, double Seconds)? refined = Refined(best);
        double cut = best.Difference;
        if (refined is not null) candidates.Add(best = refined.Value.Best);
        return made[size] = new SmallGraph(best.File, [.. keep], best.Criterion, best.Difference)
        {
            CutDifference = cut,
            RefinementSeconds = refined?.Seconds ?? 0,
            Candidates = [.. candidates.DistinctBy(candidate => candidate.Criterion).Select(candidate => (candidate.Criterion, candidate.Difference))],
        };
    }

    /// <summary>
    /// The fewest units, as a common fraction of each layer's, whose mean output difference is within a tolerance (for every output but the states,
    /// in the output's own units), by bisection on the sequences held out for the choice, then confirmed on those for verification.
    /// </summary>
    /// <exception cref="InvalidCallException">The tolerance is no number of zero or more.</exception>
    public SmallGraph Search(double tolerance, Action<SmallGraph>? tried = null)
    {
        if (!(tolerance >= 0)) throw new InvalidCallException($"`tolerance` {tolerance}: choose a number of 0 or more, for example 0.02.");
        int widest = Layers.Max(layer => layer.Units), good = widest, bad = 0;
        SmallGraph best = Compress(OfShare(1));
        while (good - bad > 1)
        {
            int middle = (good + bad) / 2;
            SmallGraph graph = Compress(OfShare((double)middle / widest));
            tried?.Invoke(graph);
            if (graph.JudgedDifference <= tolerance) (good, best) = (middle, graph);
            else bad = middle;
        }

        while (good < widest && Prove(best, 0).Outputs.Where(output => !output.IsState).Max(output => output.MeanDifference) > tolerance)
        {
            best = Compress(OfShare((double)++good / widest));
            tried?.Invoke(best);
        }

        return best;
    }

    /// <summary>Compares both graphs on the sequences held out for verification.</summary>
    /// <param name="graph">The smaller one.</param>
    /// <param name="rounds">Rounds of timing, both graphs in turn; 0: none.</param>
    public GraphProof Prove(SmallGraph graph, int rounds = 3)
    {
        using InferenceSession session = RuntimeSession.Open(graph.File, "the smaller graph");
        OutputRecord expected = OutputRecord.Record(original, calls, Outputs, proven, calls.Sequences);
        OutputDifference[] outputs = expected.Compare(session, calls, proven, calls.Sequences);
        (double before, double after) = CallTimes.Measure(original, session, calls, proven, rounds);
        return new GraphProof(Describe(graph), outputs, file.Length, graph.File.Length, before, after, HeldOut) { SpecialFor = SpecialFor };
    }

    /// <summary>Eighths of every layer's units, from the least, each with its proof; those that were done before it was interrupted.</summary>
    /// <param name="done">Called after each.</param>
    public IReadOnlyList<SizePoint> Curve(Action<SizePoint>? done = null)
    {
        const int parts = 8;
        List<SizePoint> points = [];
        for (int part = 1; part < parts && !cancellation.IsCancellationRequested; part++)
        {
            int[] keep = OfShare((double)part / parts);
            if (points.Count > 0 && points[^1].Keep.SequenceEqual(keep)) continue;
            try
            {
                points.Add(new SizePoint(keep, Prove(Compress(keep), rounds: 1)));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                break;
            }

            done?.Invoke(points[^1]);
        }

        return points;
    }

    /// <summary>Writes the smaller graph.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Save(string path, SmallGraph graph) => AtomicFile.Write(path, stream => stream.Write(graph.File));

    /// <inheritdoc/>
    public void Dispose() => original.Dispose();

    /// <summary>The plan of every active layer; null where it keeps all units.</summary>
    internal NodePlan?[] Plans(IReadOnlyList<int> keep, UnitCriterion criterion) =>
        [.. Active.Select((group, i) => keep[i] == group.Weights.Hidden ? null : group.Plan(keep[i], criterion))];

    /// <summary>The graph with every active layer cut as planned.</summary>
    internal byte[] Patch(IReadOnlyList<NodePlan?> plans)
    {
        ModelProto small = model.Clone();
        RecurrentNode[] copies = RecurrentNode.FindAll(small);
        (RecurrentNode Node, NodePlan Plan)[] cut =
            [.. Active.SelectMany((group, i) => plans[i] is { } plan ? group.Members.Select(member => (copies[member], plan)) : [])];
        NodePatch patch = new(small);
        patch.Apply(cut);
        if (ShrinksState && cut.Length > 0) SmallState.Shrink(small, calls.States, cut);
        return small.ToByteArray();
    }

    // Null where nothing can be refined, or is to be.
    private (GraphCandidate Best, double Seconds)? Refined(GraphCandidate start)
    {
        if (Refine.IsOff) return null;
        (RefinedCell Cell, NodeTrace Trace)?[] refined =
        [
            .. start.Plans.Zip(Active, (plan, group) => plan is not null && TraceOf(group) is { Obstacle: null, Trajectories.Count: > 0 } trace
                ? (RefinedCell.From(group.First), trace)
                : ((RefinedCell, NodeTrace)?)null),
        ];
        if (refined.All(node => node is null)) return null;
        using GraphRefinement ladder = new(refined, start, plans => Judge(plans, start.Criterion + ", refined"), cancellation);
        RefinementResult<NodePlan?[]> result = ladder.Climb(start.Plans, Refine, Note);
        return (ladder.Find(result.Best), result.Seconds);
    }

    private void FindAdjoints()
    {
        foreach (NodeGroup group in Active)
        {
            if (hasAdjoints.Add(group))
                group.Adjoint = NodeAdjoint.Collect(RefinedCell.From(group.First), group.Weights, TraceOf(group), cancellation);
        }
    }

    private NodeTrace TraceOf(NodeGroup group)
    {
        if (traces.TryGetValue(group, out NodeTrace? trace)) return trace;
        HashSet<string> states = [.. Outputs.Where(output => output.IsState).Select(output => output.Name)];
        return traces[group] = TraceReader.Read(model, group.Runner, group.Weights, calls, judged, states);
    }

    private GraphCandidate Judge(NodePlan?[] plans, string criterion)
    {
        byte[] file = Patch(plans);
        using InferenceSession session = RuntimeSession.Open(file, "the smaller graph");
        OutputDifference[] outputs = judgedOutputs.Compare(session, calls, judged, proven);
        double[] differences = [.. outputs.Where(output => !output.IsState).Select(output => output.MeanDifference)];
        return new GraphCandidate(plans, file, criterion, differences.Any(double.IsNaN) ? double.PositiveInfinity : differences.Max());
    }

    // All of the graph, sorted into groups of equal ones.
    private RecurrentNode[] FindNodes()
    {
        groups.Clear();
        RecurrentNode[] found = RecurrentNode.FindAll(model);
        if (found.Length == 0)
        {
            throw new InvalidCallException(
                $"{path} holds no RNN, LSTM or GRU node; there is nothing to compress. "
                + "An exporter that wrote the steps out one by one has to be told to keep the node.");
        }

        for (int i = 0; i < found.Length; i++) AddToGroup(found[i], NodeWeights.Read(model, found[i]), i);
        return found;
    }

    private void AddToGroup(RecurrentNode node, NodeWeights weights, int index)
    {
        NodeGroup? group = groups.Find(other => other.Holds(node, weights));
        if (group is null) groups.Add(group = new NodeGroup(node, weights));
        group.Members.Add(index);
    }

    private CompressedNode[] Describe(SmallGraph graph)
    {
        NodeGroup[] active = Active;
        ModelProto small = ModelProto.Parser.ParseFrom(graph.File);
        RecurrentNode[] smaller = RecurrentNode.FindAll(small);
        return [.. nodes.Select((node, i) =>
        {
            NodeGroup group = groups.Find(other => other.Members.Contains(i))!;
            int at = Array.IndexOf(active, group), units = group.Weights.Hidden;
            return new CompressedNode(
                node.Name, node.Type, units, at < 0 ? units : graph.Keep[at], group.Weights.Inputs, (long)group.Statistics.Steps,
                group.Weights.MultiplyAdds, NodeWeights.Read(small, smaller[i]).MultiplyAdds);
        })];
    }

    private void CheckDeterminism()
    {
        OutputRecord once = OutputRecord.Record(original, calls, Outputs, 0, calls.Variants);
        if (once.Compare(original, calls, 0, calls.Variants).FirstOrDefault(output => !(output.MaxDifference == 0)) is { } changing)
            throw new RunFailedException(
                $"{path}: the output {changing.Name} is not the same when the same input is given twice (difference {changing.MaxDifference:g3}); "
                + "a graph that draws random numbers, or makes NaN, cannot be compared.");
    }

    private void Collect(Action<int, int>? progress, CancellationToken cancellation)
    {
        StateProbe probe = StateProbe.Create(model);
        NodeGroup[] owners = [.. nodes.Select((_, i) => groups.Find(group => group.Members.Contains(i))!)];
        using InferenceSession session = RuntimeSession.Open(probe.Model, $"{path} with its hidden states as outputs");
        for (int sequence = 0; sequence < judged; sequence++)
        {
            cancellation.ThrowIfCancellationRequested();
            calls.Run(session, sequence, probe.Outputs, results =>
            {
                for (int i = 0; i < owners.Length; i++)
                    if (owners[i].Statistics.Add(results[i])) owners[i].Runner = Math.Max(owners[i].Runner, i);
            });
            progress?.Invoke(sequence + 1, judged);
        }

        foreach (NodeGroup group in groups) group.Statistics.Flush();
        if (Active.Length == 0) throw new InvalidCallException($"{path}: the calibration ran none of its recurrent nodes; check `Fixed`.");
        foreach (NodeGroup group in Active)
        {
            if (group.Statistics.Steps < group.Weights.Hidden)
                throw new InvalidCallException(
                    $"{group.First} of {group.Weights.Hidden} units was seen for {group.Statistics.Steps} steps in {judged} sequences; "
                    + "give more data: at least as many steps as units.");
        }
    }
}
