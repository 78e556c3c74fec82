using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Recurrent;

/// <summary>
/// An RNN, LSTM or GRU of a graph. X [T, N, I]; W [D, G H, I], R [D, G H, H], B [D, 2 G H], initial states [D, N, H], P [D, 3 H] (peepholes); Y [T,
/// D, N, H], Y_h and Y_c [D, N, H]. The units are the same for all gates; all operations but the product with R are element-wise in the units.
/// </summary>
internal sealed class RecurrentNode
{
    private RecurrentNode(Scope scope, NodeProto node, string name) => (Scope, Node, Name) = (scope, node, name);

    /// <summary>The scope of the node.</summary>
    public Scope Scope { get; }

    /// <summary>The node.</summary>
    public NodeProto Node { get; }

    /// <summary>Its name, or its type and number where it has none.</summary>
    public string Name { get; }

    /// <summary>RNN, LSTM or GRU.</summary>
    public string Type => Node.OpType;

    /// <summary>Gates: 1, 4 (i, o, f, c) or 3 (z, r, h).</summary>
    public int Gates => StandardCell.Gates();

    /// <summary>The cell of its type without peepholes, with the activations that ONNX gives it by default.</summary>
    public Cell StandardCell => Cells.From(
        CellSpec.All.First(spec => spec.Onnx.Operator == Type && spec.ResetsState == ResetsBefore && !spec.HasPeepholes).Kind);

    /// <summary>The activations of one direction by default.</summary>
    public IReadOnlyList<string> StandardActivations => StandardCell.Spec().Onnx.Activations;

    /// <summary>Whether a GRU applies the reset gate before the product with R, not after it.</summary>
    public bool ResetsBefore => Type == "GRU" && Attributes.Integer(Node, "linear_before_reset", 0) == 0;

    /// <summary>
    /// What to say of a GRU that the file resets before the product though PyTorch, whose GRU resets after it, wrote the file: the newer exporter of some
    /// versions leaves <c>linear_before_reset</c> out (pytorch/pytorch#189225), and every runtime then answers otherwise than the model. Null elsewhere.
    /// </summary>
    public static string? FindDoubt(ModelProto model, IEnumerable<RecurrentNode> nodes) =>
        model.ProducerName == "pytorch" && nodes.FirstOrDefault(node => node.ResetsBefore) is { } odd
            ? $"{odd} resets its state before the product (linear_before_reset=0), as no GRU of PyTorch does, which wrote the file; some versions of its "
                + "exporter (dynamo=True) leave the attribute out: compare the file's answers with the model's"
            : null;

    /// <summary>Every such node, in the order of the file.</summary>
    public static RecurrentNode[] FindAll(ModelProto model)
    {
        List<RecurrentNode> found = [];
        foreach ((Scope scope, NodeProto node) in GraphWalk.Nodes(new Scope(model.Graph)))
        {
            if (!GraphWalk.IsRecurrent(node)) continue;
            found.Add(new RecurrentNode(scope, node, node.Name.Length > 0 ? node.Name : $"{node.OpType}_{found.Count}"));
        }

        return [.. found];
    }

    /// <summary>The name of an input; empty if absent.</summary>
    public string Input(RecurrentInput input) => (int)input < Node.Input.Count ? Node.Input[(int)input] : "";

    /// <summary>The name of an output; empty if absent.</summary>
    public string Output(RecurrentOutput output) => (int)output < Node.Output.Count ? Node.Output[(int)output] : "";

    /// <summary>Sets the name of an input that is there.</summary>
    public void SetInput(RecurrentInput input, string name) => Node.Input[(int)input] = name;

    /// <summary>Sets the name of an output.</summary>
    public void SetOutput(RecurrentOutput output, string name)
    {
        while (Node.Output.Count <= (int)output) Node.Output.Add("");
        Node.Output[(int)output] = name;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Type} {Name}";
}

/// <summary>Inputs of a recurrent node by their index.</summary>
internal enum RecurrentInput
{
    /// <summary>X [T, N, I].</summary>
    X,

    /// <summary>W [D, G H, I].</summary>
    W,

    /// <summary>R [D, G H, H].</summary>
    R,

    /// <summary>B [D, 2 G H].</summary>
    B,

    /// <summary>Lengths [N].</summary>
    SequenceLengths,

    /// <summary>h before the first step [D, N, H].</summary>
    InitialH,

    /// <summary>c before the first step [D, N, H] (LSTM).</summary>
    InitialC,

    /// <summary>Peepholes [D, 3 H] (LSTM).</summary>
    P,
}

/// <summary>Outputs of a recurrent node by their index.</summary>
internal enum RecurrentOutput
{
    /// <summary>Y [T, D, N, H].</summary>
    Y,

    /// <summary>The last h [D, N, H].</summary>
    H,

    /// <summary>The last c [D, N, H] (LSTM).</summary>
    C,
}
