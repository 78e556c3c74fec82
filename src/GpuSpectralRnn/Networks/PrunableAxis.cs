namespace GpuSpectralRnn.Networks;

/// <summary>An axis whose units can be taken away.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Carrier">
/// The value that its linear readers read, as it is or through modules that only pass it on (side by side, one step, the mean over steps): what
/// statistics of the units are taken of.
/// </param>
/// <param name="IsFoldable">
/// Whether combinations of kept units can stand for the others: all readers read the carrier linearly. Else units can only be selected.
/// </param>
public sealed record PrunableAxis(UnitAxis Axis, Value Carrier, bool IsFoldable)
{
    /// <summary>The axis' name.</summary>
    public string Name => Axis.Name;

    /// <summary>m, its units.</summary>
    public int Units => Axis.Size;

    /// <summary>Other axes that must keep the same units, where a module reads both element by element.</summary>
    public IReadOnlyList<string> TiedTo { get; init; } = [];

    /// <summary>The column of unit 0 in the carrier.</summary>
    public int FirstColumn => Carrier.Units.TakeWhile(part => part.Name != Axis.Name).Sum(part => part.Size);

    /// <summary>All prunable axes of a graph: those of recurrences first, each group in the order of a forward pass.</summary>
    internal static IReadOnlyList<PrunableAxis> Find(Graph graph)
    {
        Dictionary<string, Node> producers = [];
        foreach (Node node in graph.Nodes)
            foreach (Produces use in node.Uses.OfType<Produces>()) producers.TryAdd(use.Axis.Name, node);
        return
        [
            .. from pair in producers
               where !graph.UsesOf(pair.Key).OfType<Opaque>().Any()
               orderby pair.Value.Module is Modules.Recurrent ? 0 : 1, pair.Value.Index
               select Create(graph, graph.Axis(pair.Key), pair.Value),
        ];
    }

    private static PrunableAxis Create(Graph graph, UnitAxis axis, Node producer)
    {
        HashSet<string> origins = [];
        bool isTied = false;
        HashSet<string> tied = [];
        foreach (Node node in graph.Nodes)
        {
            foreach (ReadsByElement use in node.Uses.OfType<ReadsByElement>().Where(use => use.TiedTo is not null))
            {
                if (use.Axis.Name == axis.Name) tied.Add(use.TiedTo!.Name);
                else if (use.TiedTo!.Name == axis.Name) tied.Add(use.Axis.Name);
                else continue;
                isTied = true;
            }

            if (!node.Uses.OfType<ReadsLinearly>().Any(use => use.Axis.Name == axis.Name)) continue;
            if (node == producer && node.Module is Modules.Recurrent) origins.Add(node.Output.Name);
            foreach (Value input in node.Inputs.Where(input => input.Units.Contains(axis))) origins.Add(Origin(graph, input, axis).Name);
        }

        tied.Remove(axis.Name);
        bool isFoldable = !isTied && origins.Count == 1 && graph.Value(origins.First()).Units.Count(part => part == axis) == 1;
        return new PrunableAxis(axis, isFoldable ? graph.Value(origins.First()) : producer.Output, isFoldable) { TiedTo = [.. tied] };
    }

    // Where what a value holds of an axis comes from, behind modules that pass it on as it is.
    private static Value Origin(Graph graph, Value value, UnitAxis axis)
    {
        while (graph.Fields.All(field => field.Name != value.Name) && graph.Node(value.Name) is { Module.PassesOn: true } node)
            value = node.Inputs.First(input => input.Units.Contains(axis));
        return value;
    }
}
