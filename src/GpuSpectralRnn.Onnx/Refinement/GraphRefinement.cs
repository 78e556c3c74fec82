using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>
/// Refinement of all cut nodes of a graph at once, each along its own trajectories; judged by the graph's outputs. The one procedure of
/// <see cref="RateLadder{T}"/>; there are no hints, since what follows a node is known but for its tail, and no mixed inputs, whose states the
/// original graph has not told.
/// </summary>
/// <param name="nodes">For each layer what refines it; null where it stays.</param>
/// <param name="start">The first plans.</param>
/// <param name="judge">The candidate of plans, with its difference from the original graph.</param>
/// <param name="cancellation">Stops between steps.</param>
internal sealed class GraphRefinement(
    IReadOnlyList<(RefinedCell Cell, NodeTrace Trace)?> nodes,
    GraphCandidate start,
    Func<NodePlan?[], GraphCandidate> judge,
    CancellationToken cancellation) : RateLadder<NodePlan?[]>, IDisposable
{
    private readonly Dictionary<NodePlan?[], GraphCandidate> judged = new() { [start.Plans] = start }; // by their identity

    private readonly IBackend backend = Devices.Open("host", Devices.ProcessorThreads);

    /// <inheritdoc/>
    protected override IReadOnlyList<double> Rates { get; } = RatesOf(
        nodes.All(node => node is null || node.Value.Cell.IsBounded),
        start.Plans.Where((_, i) => nodes[i] is not null).Max(plan => plan!.Units),
        nodes.Select((node, i) => node is { } own ? NodeRefinement.Span(own.Trace, start.Plans[i]!.Directions == 2) : 1).Max());

    /// <inheritdoc/>
    protected override double WorkOfStep { get; } =
        nodes.Select((node, i) => node is { } own ? NodeRefinement.WorkOfStep(start.Plans[i]!, own.Trace) : 0).Sum();

    /// <summary>The graph of plans, which is made and run once.</summary>
    public GraphCandidate Find(NodePlan?[] plans) =>
        judged.TryGetValue(plans, out GraphCandidate? known) ? known : judged[plans] = judge(plans);

    /// <inheritdoc/>
    public void Dispose() => backend.Dispose();

    /// <inheritdoc/>
    protected override NodePlan?[]? Run(NodePlan?[] from, double rate, int steps)
    {
        NodePlan?[] plans = [.. from];
        for (int i = 0; i < plans.Length; i++)
        {
            if (nodes[i] is not { } node) continue;
            plans[i] = new NodeRefinement(node.Cell, node.Trace).Refine(plans[i]!, backend, steps, Settings(rate), cancellation);
            if (plans[i] is null) return null;
        }

        return plans;
    }

    /// <inheritdoc/>
    protected override double Judge(NodePlan?[] candidate) => Find(candidate).Difference;
}
