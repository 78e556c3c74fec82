using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Weights that are kept, as the paper's table counts them: without biases; what a mask takes away does not count, two factors count both, and what
/// several modules share counts once.
/// </summary>
/// <param name="InputHidden">By which recurrences read what no recurrence made: of a stack the first layer's W_ih.</param>
/// <param name="HiddenHidden">The other weights of recurrences: all W_hh, and W_ih above a recurrence.</param>
/// <param name="HiddenOutput">Of the modules that give the outputs: a stack's read-out.</param>
public sealed record WeightCounts(long InputHidden, long HiddenHidden, long HiddenOutput)
{
    /// <summary>Of embeddings; a read-out tied to one counts here and nowhere else.</summary>
    public long Embedding { get; init; }

    /// <summary>Of all other modules; none in a stack.</summary>
    public long Others { get; init; }

    /// <summary>Of a whole network.</summary>
    public static WeightCounts Count(Recipe recipe) => Count(recipe.Build(), spec => spec.Shape.Count);

    /// <summary>Of a network as it is, without the weights that its masks took away.</summary>
    public static WeightCounts Count(Network network) => Count(
        network.Graph, spec => network.Parameters.MaskOf(spec.Name) is { } mask ? mask.LongCount(x => x != 0) : spec.Shape.Count);

    /// <summary>Of what a plan leaves of a network.</summary>
    public static WeightCounts Count(Recipe recipe, PruningPlan plan)
    {
        WeightCounts stored = Count(plan.Shrink(recipe));
        long masked = plan.Axes.Sum(part => part.Mask?.Data.LongCount(x => x == 0) ?? 0);
        return stored with { HiddenHidden = stored.HiddenHidden - masked };
    }

    private static WeightCounts Count(Graph graph, Func<ParameterSpec, long> count)
    {
        long inputHidden = 0, hiddenHidden = 0, hiddenOutput = 0, embedding = 0, others = 0;
        HashSet<string> counted = [], recurrent = []; // parameters; values that some recurrence went into
        foreach (Node node in graph.Nodes)
        {
            bool isAbove = node.Inputs.Any(value => recurrent.Contains(value.Name));
            if (isAbove || node.Module is Recurrent) recurrent.Add(node.Output.Name);
            foreach (ParameterSpec spec in node.Declared)
            {
                if (spec.Shape.Rank != 2 || !counted.Add(spec.Name)) continue;
                if (node.Module is Embedding) embedding += count(spec);
                else if (node.Module is Recurrent cell && cell.InputWeight == spec.Name && !isAbove) inputHidden += count(spec);
                else if (node.Module is Recurrent) hiddenHidden += count(spec);
                else if (graph.Outputs.Contains(node.Output)) hiddenOutput += count(spec);
                else others += count(spec);
            }
        }

        return new WeightCounts(inputHidden, hiddenHidden, hiddenOutput) { Embedding = embedding, Others = others };
    }
}
