using Google.Protobuf;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>
/// A copy of a graph that shows the hidden states Y [T, D, N, H] of its recurrent nodes as outputs. From the branch of an If the value comes out empty when
/// the other branch was taken; from a Loop or Scan with the iterations stacked in front.
/// </summary>
internal sealed class StateProbe
{
    private StateProbe(byte[] model, string[] outputs) => (Model, Outputs) = (model, outputs);

    /// <summary>The graph's file.</summary>
    public byte[] Model { get; }

    /// <summary>The name of each recurrent node's states.</summary>
    public string[] Outputs { get; }

    /// <summary>Makes the copy.</summary>
    /// <exception cref="InvalidCallException">A node stands where its states cannot be got out of.</exception>
    public static StateProbe Of(ModelProto model)
    {
        ModelProto copy = model.Clone();
        FreshNames names = new(copy.Graph);
        List<string> outputs = [];
        foreach (RecurrentNode node in RecurrentNode.FindAll(copy))
        {
            string states = node.Output(RecurrentOutput.Y);
            if (states.Length == 0) node.SetOutput(RecurrentOutput.Y, states = names.Of($"{node.Name}/states"));
            outputs.Add(Lift(node, node.Scope, states, names));
        }

        return new StateProbe(copy.ToByteArray(), [.. outputs]);
    }

    // The name under which the value is an output of the main graph.
    private static string Lift(RecurrentNode node, Scope scope, string value, FreshNames names)
    {
        if (scope.Owner is not { } owner || scope.Parent is not { } parent)
        {
            if (scope.Graph.Output.All(output => output.Name != value)) scope.Graph.Output.Add(new ValueProto { Name = value });
            return value;
        }

        // A value may be the result of a body already; under a name of its own it surely is no second time.
        string shown = names.Of($"{node.Name}/shown");
        scope.Graph.Node.Add(new NodeProto { OpType = "Identity", Input = { value }, Output = { shown } });
        int before = scope.Graph.Output.Count;
        scope.Graph.Output.Add(new ValueProto { Name = shown });
        switch (owner.OpType)
        {
            case "If":
                GraphProto other = GraphWalk.Bodies(owner).First(body => !ReferenceEquals(body, scope.Graph));
                string nothing = names.Of($"{node.Name}/nothing");
                other.Initializer.Add(Tensors.Of(nothing, [0], Array.Empty<float>()));
                string absent = names.Of($"{node.Name}/absent");
                other.Node.Add(new NodeProto { OpType = "Identity", Input = { nothing }, Output = { absent } });
                other.Output.Add(new ValueProto { Name = absent });
                break;
            case "Loop":
                before--; // the condition is a result of the body alone
                break;
            case "Scan":
                break;
            default:
                throw new InvalidCallException($"{node} stands in the body of {owner.OpType} {owner.Name}, where its states cannot be seen.");
        }

        while (owner.Output.Count < before) owner.Output.Add("");
        string lifted = names.Of($"{node.Name}/lifted");
        owner.Output.Add(lifted);
        return Lift(node, parent, lifted, names);
    }
}
