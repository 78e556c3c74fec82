using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>A copy of a graph that shows the hidden states Y [T, D, N, H] of its recurrent nodes as outputs.</summary>
/// <param name="Model">The graph's file.</param>
/// <param name="Outputs">The name of each recurrent node's states.</param>
internal sealed record StateProbe(byte[] Model, string[] Outputs)
{
    /// <summary>Makes the copy.</summary>
    /// <exception cref="InvalidCallException">A node is in a body whose values cannot be exposed as outputs.</exception>
    public static StateProbe Create(ModelProto model)
    {
        ModelProto copy = model.Clone();
        RecurrentNode[] nodes = RecurrentNode.FindAll(copy);
        string[] states = [.. nodes.Select(NameStates)];
        ValueProbe probe = new(copy);
        string[] outputs = [.. nodes.Select((node, i) => probe.Show(node.Scope, states[i], node.ToString()))];
        return new StateProbe(probe.ToFile(), outputs);
    }

    /// <summary>The name of Y, given to it where it has none.</summary>
    public static string NameStates(RecurrentNode node)
    {
        string states = node.Output(RecurrentOutput.Y);
        if (states.Length > 0) return states;
        node.SetOutput(RecurrentOutput.Y, states = $"gsrnn/{node.Output(RecurrentOutput.H)}{node.Output(RecurrentOutput.C)}/states");
        return states;
    }
}
