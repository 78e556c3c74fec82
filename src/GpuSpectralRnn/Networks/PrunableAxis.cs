namespace GpuSpectralRnn.Networks;

/// <summary>An axis whose units can be taken away.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Carriers">
/// What statistics of the units are taken of: the value that its linear readers read, as it is or through modules that only pass it on (side by side,
/// one step, the mean over steps); several where modules of shared parameters make the units.
/// </param>
/// <param name="IsFoldable">
/// Whether combinations of kept units can stand for the others: all readers read the carriers linearly. Else units can only be selected.
/// </param>
public sealed record PrunableAxis(UnitAxis Axis, IReadOnlyList<Value> Carriers, bool IsFoldable)
{
    /// <summary>The axis' name.</summary>
    public string Name => Axis.Name;

    /// <summary>m, its units.</summary>
    public int Units => Axis.Size;

    /// <summary>Other axes that must keep the same units, where a module reads both element by element.</summary>
    public IReadOnlyList<string> TiedTo { get; init; } = [];

    /// <summary>The column of unit 0 in a carrier.</summary>
    public int FirstColumn(Value carrier) => carrier.Parts.First(part => part.Axis == Axis).First;

    /// <summary>All prunable axes of a graph: those of recurrences first, each group in the order of a forward pass.</summary>
    internal static IReadOnlyList<PrunableAxis> Find(Graph graph)
    {
        Dictionary<string, List<Node>> producers = [];
        foreach (Node node in graph.Nodes)
        {
            foreach (string axis in node.Uses.Where(use => use is Produces or ProducesByColumns).Select(use => use.Axis.Name).Distinct())
            {
                if (!producers.TryGetValue(axis, out List<Node>? own)) producers.Add(axis, own = []);
                own.Add(node);
            }
        }

        Dictionary<string, HashSet<string>> ties = Ties(graph);
        return
        [
            .. from pair in producers
               where graph.Axis(pair.Key).Size > 1 || pair.Value[0].Module is Modules.Recurrent
               let tied = Closure(ties, pair.Key)
               where !tied.Any(name => graph.UsesOf(name).OfType<Opaque>().Any()) && tied.All(producers.ContainsKey)
               orderby pair.Value[0].Module is Modules.Recurrent ? 0 : 1, pair.Value[0].Index
               select Create(graph, graph.Axis(pair.Key), pair.Value, tied, ties),
        ];
    }

    // Axes that some module reads together, or as many units that modules read through the same columns of a shared parameter. An axis read by itself
    // is tied to itself: its units can only be selected.
    private static Dictionary<string, HashSet<string>> Ties(Graph graph)
    {
        Dictionary<string, HashSet<string>> ties = graph.Axes.ToDictionary(axis => axis.Name, _ => new HashSet<string>());
        foreach (ReadsByElement use in graph.Nodes.SelectMany(node => node.Uses).OfType<ReadsByElement>())
            if (use.TiedTo is { } other) Tie(use.Axis.Name, other.Name);
        foreach (var columns in graph.Nodes.SelectMany(node => node.Uses).OfType<ReadsLinearly>().GroupBy(use => (use.Parameter, use.FirstColumn, use.Axis.Size)))
        {
            string[] names = [.. columns.Select(use => use.Axis.Name).Distinct()];
            foreach (string name in names.Skip(1)) Tie(names[0], name);
        }

        return ties;

        void Tie(string a, string b)
        {
            ties[a].Add(b);
            ties[b].Add(a);
        }
    }

    private static HashSet<string> Closure(Dictionary<string, HashSet<string>> ties, string axis)
    {
        HashSet<string> found = [axis];
        Queue<string> open = new([axis]);
        while (open.TryDequeue(out string? next))
            foreach (string name in ties[next].Where(found.Add)) open.Enqueue(name);
        return found;
    }

    private static PrunableAxis Create(
        Graph graph, UnitAxis axis, IReadOnlyList<Node> producers, HashSet<string> tied, Dictionary<string, HashSet<string>> ties)
    {
        Value[] made = [.. producers.Select(node => node.Output)];
        HashSet<string> origins = [];
        foreach (Node node in graph.Nodes.Where(node => node.Uses.OfType<ReadsLinearly>().Any(use => use.Axis.Name == axis.Name)))
        {
            if (producers.Contains(node) && node.Module is Modules.Recurrent) origins.Add(node.Output.Name);
            foreach (Value input in node.Inputs.Where(input => input.Units.Contains(axis))) origins.Add(Origin(graph, input, axis).Name);
        }

        Value[] read = [.. origins.Select(graph.Value)];
        bool isFoldable = ties[axis.Name].Count == 0
            && (read.Length == 1 || (read.Length > 1 && read.All(made.Contains)))
            && read.All(value => value.Units.Count(part => part == axis) == 1);
        return new PrunableAxis(axis, isFoldable ? read : made, isFoldable) { TiedTo = [.. tied.Where(name => name != axis.Name)] };
    }

    // Where what a value holds of an axis comes from, behind modules that pass it on as it is.
    private static Value Origin(Graph graph, Value value, UnitAxis axis)
    {
        while (graph.Fields.All(field => field.Name != value.Name) && graph.Node(value.Name) is { Module.PassesOn: true } node)
            value = node.Inputs.First(input => input.Units.Contains(axis));
        return value;
    }
}
