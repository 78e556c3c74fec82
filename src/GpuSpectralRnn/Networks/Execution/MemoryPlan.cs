namespace GpuSpectralRnn.Networks.Execution;

/// <summary>The largest pass that memory is reserved for.</summary>
/// <param name="Cells">The most steps times sequences.</param>
/// <param name="Batch">The most sequences.</param>
/// <param name="IsTraining">Whether some pass goes backward.</param>
internal readonly record struct Reservation(long Cells, int Batch, bool IsTraining)
{
    /// <summary>What serves both.</summary>
    public Reservation Max(Reservation other) => new(Math.Max(Cells, other.Cells), Math.Max(Batch, other.Batch), IsTraining || other.IsTraining);
}

/// <summary>
/// Where everything of a pass lies, before any memory is taken. Values have a block each: backpropagation and statistics read them after the forward
/// pass. Gradients share blocks by lifetime, from the first write to the backward pass of the module that gave the value. A value with several readers
/// sums their gradients: the reader that goes back first writes, each other one writes to a block of its own that is then added.
/// </summary>
internal sealed class MemoryPlan
{
    private readonly Graph graph;
    private readonly Dictionary<string, string> roots = []; // the value whose slot a value shares
    private readonly Dictionary<string, List<(Node Node, int Input)>> readers = [];
    private readonly HashSet<string> differentiable = [];
    private readonly List<long> blocks = [];
    private readonly List<int> free = [];

    /// <summary>Plans passes of one shape.</summary>
    public MemoryPlan(Graph graph, PassShape shape)
    {
        (this.graph, Shape) = (graph, shape);
        Placements = new Placement[graph.Nodes.Count];
        SharesGradient = new bool[graph.Nodes.Count];
        ValueSizes = new long[graph.Nodes.Count];
        Edges = [.. graph.Nodes.Select(node => new int[node.Inputs.Count])];
        foreach (Node node in graph.Nodes) Resolve(node);
        OutputSizes = [.. graph.Outputs.Select(output => IsTheCallers(output) ? 0 : Size(output))];
        if (shape.IsTraining) PlanGradients();
        GradientSizes = blocks;
    }

    /// <summary>What it is for.</summary>
    public PassShape Shape { get; }

    /// <summary>Where each module's output lies.</summary>
    public Placement[] Placements { get; }

    /// <summary>Whether the gradient of a module's output is a step of its input's.</summary>
    public bool[] SharesGradient { get; }

    /// <summary>Elements of each module's output where that has a block of its own, else 0.</summary>
    public long[] ValueSizes { get; }

    /// <summary>
    /// Elements of the copy of each output that is handed out, since a loss writes its gradient over it; 0 where nobody misses the numbers themselves.
    /// </summary>
    public long[] OutputSizes { get; }

    /// <summary>Elements of each block of gradients.</summary>
    public IReadOnlyList<long> GradientSizes { get; }

    /// <summary>The block of the gradient of each value that has one.</summary>
    public Dictionary<string, int> Gradients { get; } = [];

    /// <summary>
    /// For each module's inputs: <see cref="Direct"/> where it writes the value's gradient itself, <see cref="NoGradient"/>, or the block that it
    /// writes, whose content is then added to the value's gradient if that is wanted.
    /// </summary>
    public int[][] Edges { get; }

    /// <summary>The gradient is written where it belongs.</summary>
    public const int Direct = -1;

    /// <summary>No gradient is wanted.</summary>
    public const int NoGradient = -2;

    /// <summary>The value whose slot a value shares; most often itself.</summary>
    public string Root(string value) => roots.GetValueOrDefault(value, value);

    /// <summary>Elements of a value.</summary>
    public long Size(Value value) => Shape.Batch * value.Kind switch
    {
        ValueKind.Vector => (long)value.Width,
        ValueKind.Scores => Shape.Steps(graph.FieldIndex(value)),
        _ => (long)Shape.Steps(graph.FieldIndex(value)) * value.Width,
    };

    /// <summary>Whether gradients reach a module.</summary>
    public bool IsDifferentiable(Value value) => differentiable.Contains(value.Name);

    private void Resolve(Node node)
    {
        Placement placement = node.Module.Place(node.Scope, Shape);
        string? root = node.Inputs.Count > 0 ? Root(node.Inputs[0].Name) : null;
        bool isField = graph.Fields.Any(field => field.Name == root);
        if (placement is Placement.LastStep or Placement.FirstStep && isField) placement = Placement.Own; // a field's tensor changes with every pass
        if (placement == Placement.OverInput)
        {
            bool isFree = !isField
                && Placements[graph.Node(root!).Index] is Placement.Own or Placement.OverInput
                && !graph.Node(root!).Module.KeepsOutput
                && !IsOutput(root!)
                && graph.Nodes.Sum(other => other.Inputs.Count(input => Root(input.Name) == root)) == 1;
            if (!isFree) placement = Placement.Own;
        }

        if (placement == Placement.Input) roots[node.Output.Name] = root!;
        else
        {
            for (int i = 0; i < node.Inputs.Count; i++)
            {
                string read = Root(node.Inputs[i].Name);
                if (!readers.TryGetValue(read, out List<(Node, int)>? list)) readers.Add(read, list = []);
                list.Add((node, i));
            }
        }

        Placements[node.Index] = placement;
        if (placement == Placement.Own) ValueSizes[node.Index] = Size(node.Output);
        if (node.Declared.Count > 0 || node.Inputs.Any(input => differentiable.Contains(input.Name)))
            differentiable.Add(node.Output.Name);
    }

    // Whether an output's numbers are for the caller alone: no module reads them, forward or backward, and no other output is the same.
    private bool IsTheCallers(Value output) =>
        Placements[graph.Node(output.Name).Index] is Placement.Own or Placement.OverInput
        && !graph.Node(output.Name).Module.KeepsOutput
        && !readers.ContainsKey(output.Name)
        && graph.Outputs.Count(other => Root(other.Name) == output.Name) == 1;

    private bool IsOutput(string root) => graph.Outputs.Any(output => Root(output.Name) == root);

    // In the order of a backward pass.
    private void PlanGradients()
    {
        foreach (Value output in graph.Outputs)
        {
            // What the caller hands over is used where nobody else adds to it.
            if (readers.ContainsKey(Root(output.Name)) && differentiable.Contains(output.Name)) TakeGradient(Root(output.Name));
        }

        foreach (Node node in graph.Nodes.Reverse())
        {
            int[] edges = Edges[node.Index];
            Array.Fill(edges, NoGradient);
            if (Placements[node.Index] == Placement.Input || !differentiable.Contains(node.Output.Name)) continue;
            List<int> added = [];
            bool isPassedOn = false;
            for (int i = 0; i < edges.Length; i++)
            {
                string read = Root(node.Inputs[i].Name);
                if (!differentiable.Contains(read))
                {
                    if (!node.Module.WritesAllGradients) continue;
                    edges[i] = Take(Size(node.Inputs[i]));
                    added.Add(edges[i]);
                    continue;
                }

                List<(Node Node, int Input)> all = readers[read];
                bool isOutput = IsOutput(read), isSole = all.Count == 1 && !isOutput;
                bool isFirst = !isOutput && all[^1].Node == node && all.FindIndex(edge => edge.Node == node) is var first && all[first].Input == i;
                if (!isFirst)
                {
                    edges[i] = Take(Size(node.Inputs[i]));
                    added.Add(edges[i]);
                    continue;
                }

                edges[i] = Direct;
                if (SharesGradient[node.Index]) continue; // taken with the output's
                if (isSole && i == 0 && node.Module.GoesBackInPlace && Gradients.TryGetValue(node.Output.Name, out int own))
                {
                    Gradients.Add(read, own);
                    isPassedOn = true;
                }
                else
                {
                    TakeGradient(read);
                }
            }

            if (!isPassedOn && Gradients.TryGetValue(node.Output.Name, out int used)) free.Add(used);
            free.AddRange(added);
        }
    }

    // The gradient of a value is about to be written for the first time.
    private void TakeGradient(string read)
    {
        if (Gradients.ContainsKey(read)) return;
        Node node = graph.Node(read);
        if (Placements[node.Index] is Placement.LastStep or Placement.FirstStep)
        {
            string below = Root(node.Inputs[0].Name);
            bool isSole = readers[below].Count == 1 && !IsOutput(below) && !IsOutput(read);
            bool hasLengths = Shape.HasLengths(graph.FieldIndex(node.Inputs[0]));
            if (isSole && !hasLengths && differentiable.Contains(below) && graph.Node(below).Module.TakesGradientOf(Placements[node.Index]))
            {
                SharesGradient[node.Index] = true;
                TakeGradient(below);
                return;
            }
        }

        Gradients.Add(read, Take(Size(node.Output)));
    }

    // A free block, the one that has to grow least and else is the smallest; a new one where none is free.
    private int Take(long size)
    {
        if (free.Count == 0)
        {
            blocks.Add(size);
            return blocks.Count - 1;
        }

        int best = free.MinBy(block => (Math.Max(0, size - blocks[block]), blocks[block]));
        free.Remove(best);
        blocks[best] = Math.Max(blocks[best], size);
        return best;
    }
}
