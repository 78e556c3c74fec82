using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// Recurrent nodes with the same weights (graphs repeat a node in the branches of an If), which are compressed alike, and their statistics.
/// </summary>
internal sealed class NodeGroup(RecurrentNode first, NodeWeights weights)
{
    private readonly Dictionary<UnitCriterion, Selection[]> selections = [];

    /// <summary>The first node.</summary>
    public RecurrentNode First { get; } = first;

    /// <summary>The weights of all of them.</summary>
    public NodeWeights Weights { get; } = weights;

    /// <summary>Indices of the nodes, in the order of the file.</summary>
    public List<int> Members { get; } = [];

    /// <summary>Index of a node that the calibration ran; -1 for none.</summary>
    public int Runner { get; set; } = -1;

    /// <summary>Statistics over all of them.</summary>
    public NodeStatistics Statistics { get; } = new(first, weights);

    /// <summary>
    /// Sensitivity G of the graph's values behind the node to its units, for each direction; null where those are not known. Set before plans are made.
    /// </summary>
    public Matrix[]? Adjoint { get; set; }

    /// <summary>Whether a node has the same type, direction and weights.</summary>
    public bool Holds(RecurrentNode node, NodeWeights other) =>
        node.Type == First.Type && Attributes.Word(node.Node, "direction", "forward") == Attributes.Word(First.Node, "direction", "forward")
        && Same(Weights.Input, other.Input) && Same(Weights.Recurrent, other.Recurrent) && Same(Weights.Bias, other.Bias)
        && Same(Weights.Peephole, other.Peephole);

    /// <summary>The plan for k units by one criterion.</summary>
    public NodePlan Plan(int keep, UnitCriterion criterion)
    {
        Selection[] paths = Paths(criterion);
        int[][] kept = [.. paths.Select(path => Enumerable.Range(0, Weights.Hidden).Except(path.Order.Take(Weights.Hidden - keep)).ToArray())];
        Matrix[] grams = [.. Statistics.Moments.Select(moments => moments.Mean())];
        return NodePlan.Create(Weights, kept, NodePlan.Fold(grams, [.. grams.Select(RidgeOf)], kept));
    }

    /// <summary>Backward elimination down to one unit, for each direction; losses are relative to the loss of the empty set.</summary>
    public Selection[] Paths(UnitCriterion criterion)
    {
        if (selections.TryGetValue(criterion, out Selection[]? known)) return known;
        return selections[criterion] =
            [.. Enumerable.Range(0, Weights.Directions).Select(d => new BackwardSelector().Select(Problem(d, criterion), 1))];
    }

    // Readers beyond the node count as the identity (input loss), the node's own R as the output loss; or all of them as far as they are known.
    private SelectionProblem Problem(int direction, UnitCriterion criterion)
    {
        Matrix gram = Statistics.Moments[direction].Mean();
        double theta = criterion switch { UnitCriterion.States => 1, UnitCriterion.Recurrence => 0, _ => 0.5 };
        return new SelectionProblem(gram, RidgeOf(gram), criterion == UnitCriterion.Outputs && Adjoint is not null
            ? Criterion.Normalised(gram, (1, Adjoint[direction]))
            : Criterion.Paper(gram, Weights.RecurrentOf(direction), theta));
    }

    private double[] RidgeOf(Matrix gram) => Ridge.Uniform(gram, Ridge.Default(First.StandardCell));

    private static bool Same(Constant? a, Constant? b) =>
        a is null || b is null ? a is null && b is null : a.Extents.SequenceEqual(b.Extents) && a.Values.AsSpan().SequenceEqual(b.Values);
}

/// <summary>Objective of a selection of units.</summary>
internal enum UnitCriterion
{
    /// <summary>The loss of the states themselves.</summary>
    States,

    /// <summary>The loss of their product with R.</summary>
    Recurrence,

    /// <summary>Both, with equal shares.</summary>
    Both,

    /// <summary>The loss of the graph's values behind the node, by their gradient; <see cref="Both"/> where those are not known.</summary>
    Outputs,
}
