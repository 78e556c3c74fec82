using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Import;

/// <summary>
/// The parts of a graph that is a stack: an input, perhaps an embedding, recurrent nodes in a row, a linear read-out. Between them stand nodes that
/// only move numbers; which steps they pick is not read here but measured (<see cref="ReadoutProof"/>).
/// </summary>
/// <param name="Input">The graph's input of sequences.</param>
/// <param name="Embedding">[V, E], or null.</param>
/// <param name="Layers">From the input up.</param>
/// <param name="Readout">The linear layer.</param>
/// <param name="Top">The node the read-out sees, for messages.</param>
/// <param name="Output">The graph's output of answers.</param>
/// <param name="States">Inputs that are states before the first step.</param>
/// <param name="Lengths">The input of lengths, or null.</param>
/// <param name="Unused">Outputs that are states, which are left out.</param>
internal sealed record StackParts(
    string Input,
    Constant? Embedding,
    LayerPart[] Layers,
    LinearPart Readout,
    string Top,
    string Output,
    string[] States,
    string? Lengths,
    string[] Unused)
{
    /// <summary>Finds them.</summary>
    /// <exception cref="InvalidCallException">The graph is another thing; the message names the node that does not fit and says why.</exception>
    public static StackParts Find(ModelProto model)
    {
        GraphTrace graph = new(new Scope(model.Graph));
        RecurrentNode[] nodes = RecurrentNode.FindAll(model);
        if (nodes.Length == 0) throw new InvalidCallException("The graph has no RNN, LSTM or GRU node, so that there is nothing to import.");
        if (nodes.FirstOrDefault(node => node.Scope.Parent is not null) is { Scope.Owner: { } owner } inner)
            throw Refuse(inner, $"stands in a branch or loop, {Describe(owner)}");
        (string output, NodeProto last, string[] unused) = FindAnswer(model, graph, nodes);
        LinearPart readout = LinearPart.Read(model, graph, last);
        TraceEnd[] ends = graph.Ends(readout.Seen, GraphTrace.MovesAndMeans);
        RecurrentNode[] seen = [.. ends.Select(end => Owner(nodes, end) ?? throw Odd(end, $"{Describe(readout.Node)}, the read-out,"))];
        RecurrentNode top = seen.MaxBy(node => Array.IndexOf(nodes, node))!;
        (List<RecurrentNode> row, TraceEnd bottom) = FindRow(graph, nodes, top);
        if (nodes.Except(row).FirstOrDefault() is { } aside)
            throw Refuse(aside, $"is not in the one row of layers that ends in {top}");
        (string input, Constant? embedding) = bottom.Node is { } table ? ReadEmbedding(model, graph, table) : (bottom.Value, null);

        string[] states = [.. row.SelectMany(node => InputsAt(graph, node, RecurrentInput.InitialH, RecurrentInput.InitialC)).Distinct()];
        string[] lengths = [.. row.SelectMany(node => InputsAt(graph, node, RecurrentInput.SequenceLengths)).Distinct()];
        if (row.Find(node => node.Input(RecurrentInput.SequenceLengths).Length > 0 && lengths.Length != 1) is { } odd)
            throw new InvalidCallException($"{odd} cannot be represented: its lengths are not one input of the graph.");
        string[] known = [input, .. states, .. lengths, .. model.Graph.Initializer.Select(tensor => tensor.Name)];
        if (model.Graph.Input.FirstOrDefault(other => !known.Contains(other.Name)) is { } strange)
            throw Refuse($"The input {strange.Name}", "is neither the sequences, nor a state, nor the lengths");
        LayerPart[] layers = [.. row.Select(node => LayerPart.Read(model, graph, node))];
        CheckWidths(layers, embedding, readout);
        return new StackParts(input, embedding, layers, readout, top.ToString(), output, states, lengths.FirstOrDefault(), unused);
    }

    /// <summary>What to say of a node that has no place in a network.</summary>
    public static InvalidCallException Refuse(NodeProto node, string reason) => Refuse(Describe(node), reason);

    /// <summary>Its type and name, or what it makes where it has no name.</summary>
    public static string Describe(NodeProto node) =>
        $"{node.OpType} {(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(name => name.Length > 0))}";

    private static InvalidCallException Refuse(object part, string reason) => new($"{part} cannot be represented: it {reason}.");

    // The one output behind a linear layer; those that are states of a recurrent node may stand beside it.
    private static (string Output, NodeProto Linear, string[] Unused) FindAnswer(ModelProto model, GraphTrace graph, RecurrentNode[] nodes)
    {
        List<(string Output, NodeProto Linear)> answers = [];
        List<string> states = [];
        foreach (string output in model.Graph.Output.Select(output => output.Name))
        {
            TraceEnd[] ends = graph.Ends(output, GraphTrace.MovesAndMeans);
            if (ends.All(end => Owner(nodes, end) is not null)) states.Add(output);
            else if (ends is [{ Node: { } node }] && LinearPart.IsLinear(node)) answers.Add((output, node));
            else throw Odd(ends.First(end => Owner(nodes, end) is null), $"the output {output}");
        }

        return answers switch
        {
            [var only] => (only.Output, only.Linear, [.. states]),
            [] => throw new InvalidCallException(
                $"The outputs {string.Join(", ", states)} are states of {nodes[^1]}; a network ends in a linear read-out, a Gemm or MatMul."),
            _ => throw Refuse(Describe(answers[1].Linear), $"is a second read-out beside {Describe(answers[0].Linear)}"),
        };
    }

    // From the top down to what is no recurrent node.
    private static (List<RecurrentNode> Row, TraceEnd Bottom) FindRow(GraphTrace graph, RecurrentNode[] nodes, RecurrentNode top)
    {
        List<RecurrentNode> row = [top];
        while (true)
        {
            TraceEnd[] ends = graph.Ends(row[0].Input(RecurrentInput.X), GraphTrace.Moves);
            if (ends.Length != 1)
                throw Refuse(row[0], $"takes {string.Join(" and ", ends.Select(end => end.Value))} together");
            if (Owner(nodes, ends[0]) is { } below)
            {
                if (ends[0].Value != below.Output(RecurrentOutput.Y))
                    throw Refuse(row[0], $"takes the last state of {below}, not all");
                row.Insert(0, below);
            }
            else if (ends[0].Node is null or { OpType: "Gather" } && graph.Scope.Initializer(ends[0].Value) is null)
            {
                return (row, ends[0]);
            }
            else
            {
                throw Odd(ends[0], $"{row[0]}");
            }
        }
    }

    // Of the embedding: the input of tokens, and the table.
    private static (string Tokens, Constant Embedding) ReadEmbedding(ModelProto model, GraphTrace graph, NodeProto table)
    {
        Constant embedding = Constants.Evaluate(model, graph.Scope, table.Input[0]);
        if (embedding.Extents.Length != 2 || Attributes.Integer(table, "axis", 0) != 0)
            throw Refuse(table, "is no embedding: it gathers something else than the rows of a matrix");
        TraceEnd[] tokens = graph.Ends(table.Input[1], GraphTrace.Moves);
        return tokens is [{ Node: null } input] && graph.Scope.Initializer(input.Value) is null
            ? (input.Value, embedding)
            : throw Odd(tokens.FirstOrDefault(end => end.Node is not null) ?? tokens[0], $"{Describe(table)}, the embedding,");
    }

    private static RecurrentNode? Owner(RecurrentNode[] nodes, TraceEnd end) =>
        end.Node is null ? null : Array.Find(nodes, node => node.Node == end.Node);

    private static InvalidCallException Odd(TraceEnd end, string reader) => end.Node is { } node
        ? Refuse(node, $"is neither a recurrent node nor one that only moves numbers, and {reader} reads what it makes")
        : new InvalidCallException($"{end.Value} reaches {reader} without a recurrent node between them; that cannot be represented.");

    // Inputs of the graph that arrive at these inputs of a node.
    private static IEnumerable<string> InputsAt(GraphTrace graph, RecurrentNode node, params RecurrentInput[] inputs) =>
        from input in inputs
        from end in graph.Ends(node.Input(input), GraphTrace.Moves)
        where end.Node is null && graph.Scope.Initializer(end.Value) is null
        select end.Value;

    private static void CheckWidths(LayerPart[] layers, Constant? embedding, LinearPart readout)
    {
        int width = embedding?.Extents[1] ?? layers[0].Weights.Inputs;
        foreach (LayerPart layer in layers)
        {
            if (layer.Cell != layers[0].Cell)
                throw Refuse(layer.Name, $"is another cell than {layers[0].Name}");
            if (layer.Weights.Directions != layers[0].Weights.Directions)
                throw Refuse(layer.Name, $"and {layers[0].Name} have not the same directions");
            if (layer.Weights.Inputs != width)
                throw Refuse(layer.Name, $"takes {layer.Weights.Inputs} numbers a step where {width} come from below");
            width = layer.Weights.Directions * layer.Weights.Hidden;
        }

        if (readout.Weights.Length != readout.Outputs * width)
            throw Refuse(readout.Node, $"sees {readout.Weights.Length / readout.Outputs} numbers where {layers[^1].Name} gives {width}");
    }
}
