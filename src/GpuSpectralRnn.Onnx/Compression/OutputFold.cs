using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>Gives the readers of a smaller node's outputs the H units that they expect.</summary>
/// <param name="names">For new values.</param>
/// <param name="constants">For A.</param>
/// <param name="node">The node.</param>
/// <param name="plan">What it keeps.</param>
internal sealed class OutputFold(FreshNames names, ConstantPool constants, RecurrentNode node, NodePlan plan)
{
    /// <summary>Makes an output [..., D, N, k] whole again: [..., D, N, k] A^T [D, k, H].</summary>
    /// <param name="output">Which.</param>
    /// <param name="fold">A [H, k] for each direction.</param>
    public void Restore(RecurrentOutput output, Matrix[] fold)
    {
        string whole = node.Output(output);
        if (whole.Length == 0) return;
        if (!GraphWalk.Reads(node.Scope.Graph).Contains(whole))
        {
            node.SetOutput(output, ""); // what is noted of its shape would be wrong now
            return;
        }

        string small = names.Of($"{node.Name}/{output}_{plan.Units}");
        node.SetOutput(output, small);
        float[] values = [.. fold.SelectMany(a => a.Transpose().ToSingle())];
        int[] extents = fold.Length == 1 ? [plan.Units, plan.Hidden] : [fold.Length, plan.Units, plan.Hidden];
        string matrix = constants.Of($"{node.Name}/{output}/fold", extents, values);
        NodeProto product = new() { Name = $"{node.Name}/{output}/whole", OpType = "MatMul", Input = { small, matrix }, Output = { whole } };
        node.Scope.Graph.Node.Insert(node.Scope.Graph.Node.IndexOf(node.Node) + 1, product);
    }
}
