using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>
/// Functions that a file defines for itself, as onnxscript and exporters built on it write them. A call is replaced by the nodes of its function, calls in
/// those too, so that whoever reads the graph sees every node in it (ONNX IR specification, Functions). A function written for another operator set than
/// the graph's keeps its meaning only where it stands: it stays a call, and is refused where a recurrent node is in it.
/// </summary>
internal sealed class LocalFunctions
{
    private const int MostCalls = 64, MostBodies = 30; // in each other; protobuf readers, ONNX Runtime's too, take 33 bodies

    /// <summary>Bytes that replaced calls may add beyond the size of the file: a function that calls another twice, that a third, doubles each time.</summary>
    private const long Allowance = 4 << 20;

    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> functions = [];
    private readonly ModelProto model;
    private readonly string path;
    private readonly FreshNames names;
    private readonly FreshNames nodeNames;
    private readonly List<FunctionProto> active = []; // those that the nodes at hand came from
    private readonly Dictionary<FunctionProto, bool> isReplaced = new(ReferenceEqualityComparer.Instance);
    private readonly long most;
    private long spent;

    private LocalFunctions(ModelProto model, string path)
    {
        (this.model, this.path, most) = (model, path, model.CalculateSize() + Allowance);
        (names, nodeNames) = (new FreshNames(model.Graph), new FreshNames(GraphWalk.NodeNames(model.Graph)));
        foreach (FunctionProto function in model.Functions)
            functions.TryAdd((DomainOf(function.Domain), function.Name, function.Overload), function);
    }

    /// <summary>Replaces the calls of a file's own functions.</summary>
    /// <param name="model">Changed.</param>
    /// <param name="path">Where it was read, for messages.</param>
    /// <exception cref="BrokenFileException">
    /// A function calls itself, reads what nothing makes, is given too much, or the graph would grow without measure.
    /// </exception>
    /// <exception cref="InvalidCallException">A function with a recurrent node is written for another operator set than the graph.</exception>
    public static void Inline(ModelProto model, string path)
    {
        if (model.Functions.Count == 0) return;
        LocalFunctions all = new(model, path);
        all.Replace(model.Graph, 0);
        HashSet<FunctionProto> called = new(ReferenceEqualityComparer.Instance);
        all.Reach(model.Graph.Node, called);
        FunctionProto[] rest = [.. model.Functions.Where(called.Contains)];
        model.Functions.Clear();
        model.Functions.Add(rest);
    }

    private static string DomainOf(string domain) => domain == "ai.onnx" ? "" : domain;

    private FunctionProto? Find(NodeProto node) => functions.GetValueOrDefault((DomainOf(node.Domain), node.OpType, node.Overload));

    private void Replace(GraphProto graph, int depth)
    {
        if (depth > MostBodies) throw Broken($"nests more than {MostBodies} bodies in each other");
        NodeProto[] nodes = [.. graph.Node.SelectMany(node => Expand(node, depth))];
        graph.Node.Clear();
        graph.Node.Add(nodes);
    }

    private IEnumerable<NodeProto> Expand(NodeProto node, int depth)
    {
        foreach (GraphProto body in GraphWalk.Bodies(node)) Replace(body, depth + 1);
        if (Find(node) is not { } function) return [node];
        if (!isReplaced.TryGetValue(function, out bool isOfGraph)) isOfGraph = isReplaced[function] = IsOfGraphsOperators(function);
        if (!isOfGraph) return [node];
        if (active.Exists(other => ReferenceEquals(other, function))) throw Broken($"has a function {Show(function)} that calls itself");
        if (active.Count == MostCalls) throw Broken($"has more than {MostCalls} functions that call each other");
        active.Add(function);
        NodeProto[] nodes = [.. Instantiate(function, node).SelectMany(inner => Expand(inner, depth))];
        active.RemoveAt(active.Count - 1);
        return nodes;
    }

    // Whether the function is written for the graph's operator sets; those that the graph does not name are added, the file's own do not count.
    private bool IsOfGraphsOperators(FunctionProto function)
    {
        foreach (OperatorSetProto set in function.OpsetImport)
        {
            string domain = DomainOf(set.Domain);
            OperatorSetProto? known = model.OpsetImport.FirstOrDefault(other => DomainOf(other.Domain) == domain);
            if (known is null)
            {
                model.OpsetImport.Add(set.Clone());
            }
            else if (known.Version != set.Version && !functions.Keys.Any(key => key.Domain == domain))
            {
                return HasRecurrentNode(function)
                    ? throw new InvalidCallException(
                        $"{path}: the function {Show(function)}, which has a recurrent node, is written for operator set {set.Version} of "
                        + $"{(domain.Length == 0 ? "ONNX" : ForeignText.Show(domain))}, the graph for {known.Version}; convert the file to one of them.")
                    : false;
            }
        }

        return true;
    }

    private bool HasRecurrentNode(FunctionProto function)
    {
        HashSet<FunctionProto> called = new(ReferenceEqualityComparer.Instance) { function };
        Reach(function.Node, called);
        return called.SelectMany(each => each.Node).SelectMany(WithBodies).Any(GraphWalk.IsRecurrent);
    }

    // Adds every function that nodes call, directly or not.
    private void Reach(IEnumerable<NodeProto> nodes, HashSet<FunctionProto> called)
    {
        Queue<NodeProto> open = new(nodes.SelectMany(WithBodies));
        while (open.TryDequeue(out NodeProto? node))
        {
            if (Find(node) is not { } function || !called.Add(function)) continue;
            foreach (NodeProto inner in function.Node.SelectMany(WithBodies)) open.Enqueue(inner);
        }
    }

    private static IEnumerable<NodeProto> WithBodies(NodeProto node) =>
        GraphWalk.Bodies(node).SelectMany(body => body.Node.SelectMany(WithBodies)).Prepend(node);

    private List<NodeProto> Instantiate(FunctionProto function, NodeProto call)
    {
        if (call.Input.Count > function.Input.Count || call.Output.Count > function.Output.Count)
            throw Broken($"gives {Show(function)} more inputs, or takes more outputs, than that has");
        const int longest = 120;
        string label = call.Name.Length is > 0 and < longest ? call.Name : names.Of(function.Name[..Math.Min(function.Name.Length, longest)]);
        Spend(label.Length + function.Input.Count + function.Output.Count + function.AttributeProto.Count);
        MovedNames values = new(
            name => Fresh($"{label}/{name}"),
            name => throw Broken($"has a function {Show(function)} that reads {ForeignText.Show(name)}, which nothing makes"));
        for (int i = 0; i < function.Input.Count; i++) values.Bind(function.Input[i], i < call.Input.Count ? call.Input[i] : "");
        List<(string Value, string Output)> copied = [];
        HashSet<string> made = [.. function.Node.SelectMany(node => node.Output)];
        for (int i = 0; i < call.Output.Count; i++)
        {
            if (call.Output[i].Length == 0) continue;
            if (made.Remove(function.Output[i])) values.Bind(function.Output[i], call.Output[i]);
            else copied.Add((function.Output[i], call.Output[i])); // an input that goes through, or one value twice
        }

        foreach (AttributeProto attribute in function.AttributeProto.Concat(call.Attribute)) values.Attributes[attribute.Name] = attribute;
        values.Define(function.Node);
        List<NodeProto> nodes = [];
        foreach (NodeProto node in function.Node)
        {
            Spend(node.CalculateSize() + label.Length);
            NodeProto copy = node.Clone();
            if (copy.Name.Length > 0) copy.Name = nodeNames.Of($"{label}/{copy.Name}");
            values.Rewrite(copy, attribute => Spend(attribute.CalculateSize()));
            nodes.Add(copy);
        }

        nodes.AddRange(copied.Select(copy => new NodeProto { OpType = "Identity", Input = { values.NameOf(copy.Value) }, Output = { copy.Output } }));
        return nodes;
    }

    private string Fresh(string wish)
    {
        Spend(wish.Length);
        return names.Of(wish);
    }

    private void Spend(long bytes)
    {
        if ((spent += bytes) > most) throw Broken($"grows by more than {most:N0} bytes when the calls of its functions are replaced");
    }

    private BrokenFileException Broken(string what) => new(path, $"not an ONNX file that can be read: it {what}.");

    private static string Show(FunctionProto function) => ForeignText.Show(function.Name);
}
