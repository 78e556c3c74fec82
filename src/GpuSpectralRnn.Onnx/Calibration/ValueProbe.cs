using Google.Protobuf;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>
/// Exposes values of a graph, also those in bodies, as float outputs. A value in a branch of an If is empty when the other branch was taken; one in a
/// Loop or Scan has the iterations stacked in front.
/// </summary>
/// <param name="model">A copy of the graph, which is changed and run instead.</param>
internal sealed class ValueProbe(ModelProto model)
{
    private readonly FreshNames names = new(model.Graph);

    /// <summary>The graph's file.</summary>
    public byte[] ToFile() => model.ToByteArray();

    /// <summary>The name under which the value is an output of the main graph.</summary>
    /// <param name="scope">A scope of the copy that sees the value.</param>
    /// <param name="value">Its name.</param>
    /// <param name="label">Name of the output.</param>
    /// <param name="isFloat">Whether it holds 32-bit floats; else it is converted.</param>
    /// <exception cref="InvalidCallException">The value is in a body whose values cannot be exposed.</exception>
    public string Show(Scope scope, string value, string label, bool isFloat = true)
    {
        if (scope.Definer(value) is { } definer) scope = definer;
        if (scope.Owner is null && isFloat)
        {
            if (scope.Graph.Output.All(output => output.Name != value)) scope.Graph.Output.Add(new ValueProto { Name = value });
            return value;
        }

        // A value may already be a result of the body; a fresh name avoids a duplicate output.
        string shown = names.Of($"{label}/shown");
        NodeProto copy = new() { OpType = isFloat ? "Identity" : "Cast", Input = { value }, Output = { shown } };
        if (!isFloat) copy.Attribute.Add(Attributes.Create("to", Tensors.Float));
        scope.Graph.Node.Add(copy);
        return Lift(scope, shown, label);
    }

    private string Lift(Scope scope, string shown, string label)
    {
        int before = scope.Graph.Output.Count;
        scope.Graph.Output.Add(new ValueProto { Name = shown });
        if (scope.Owner is not { } owner || scope.Parent is not { } parent) return shown;
        switch (owner.OpType)
        {
            case "If":
                GraphProto other = GraphWalk.Bodies(owner).First(body => !ReferenceEquals(body, scope.Graph));
                string nothing = names.Of($"{label}/nothing");
                other.Initializer.Add(Tensors.Create(nothing, [0], Array.Empty<float>()));
                string absent = names.Of($"{label}/absent");
                other.Node.Add(new NodeProto { OpType = "Identity", Input = { nothing }, Output = { absent } });
                other.Output.Add(new ValueProto { Name = absent });
                break;
            case "Loop":
                before--; // the condition is a result of the body alone
                break;
            case "Scan":
                break;
            default:
                throw new InvalidCallException($"{label} stands in the body of {owner.OpType} {owner.Name}, where its values cannot be seen.");
        }

        while (owner.Output.Count < before) owner.Output.Add("");
        string lifted = names.Of($"{label}/lifted");
        owner.Output.Add(lifted);
        return LiftOn(parent, lifted, label);
    }

    private string LiftOn(Scope scope, string value, string label)
    {
        if (scope.Owner is not null) return Lift(scope, value, label);
        scope.Graph.Output.Add(new ValueProto { Name = value });
        return value;
    }
}
