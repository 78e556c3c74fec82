using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>
/// Adapts the readers of a smaller node's outputs: those behind which everything is linear absorb A into their weights and read the k units, the
/// others read the restored H units.
/// </summary>
/// <param name="model">The whole graph.</param>
/// <param name="names">For new values.</param>
/// <param name="constants">For A and cut weights.</param>
/// <param name="node">The node.</param>
/// <param name="plan">Its plan.</param>
internal sealed class OutputFold(ModelProto model, FreshNames names, ConstantPool constants, RecurrentNode node, NodePlan plan)
{
    /// <summary>Restores an output [..., D, N, k] to H units by the product with A^T [D, k, H], for the readers that need them.</summary>
    /// <param name="output">Which.</param>
    /// <param name="fold">A [H, k] for each direction.</param>
    public void Restore(RecurrentOutput output, Matrix[] fold)
    {
        string whole = node.Output(output);
        if (whole.Length == 0) return;
        GraphProto graph = node.Scope.Graph;
        if (!GraphWalk.Reads(graph).Contains(whole))
        {
            node.SetOutput(output, ""); // what is noted of its shape would be wrong now
            return;
        }

        string small = names.Of($"{node.Name}/{output}_{plan.Units}");
        node.SetOutput(output, small);
        bool isSelection = output == RecurrentOutput.C || plan.IsSelection;
        UnitLayout layout = UnitLayout.Create(output == RecurrentOutput.Y, plan.Directions, plan.Hidden);
        foreach (Reader reader in Reader.Find(node.Scope, whole).ToArray())
        {
            if (LinearPath.Find(model, reader, layout) is not { } path || path.IsPointwise && !isSelection) continue;
            path.Take(constants, small, fold);
        }

        if (!GraphWalk.Reads(graph).Contains(whole))
        {
            if (graph.ValueInfo.FirstOrDefault(info => info.Name == whole) is { } info) graph.ValueInfo.Remove(info);
            return;
        }

        float[] values = [.. fold.SelectMany(a => a.Transpose().ToSingle())];
        int[] extents = fold.Length == 1 ? [plan.Units, plan.Hidden] : [fold.Length, plan.Units, plan.Hidden];
        string matrix = constants.Of($"{node.Name}/{output}/fold", extents, values);
        NodeProto product = new() { Name = $"{node.Name}/{output}/whole", OpType = "MatMul", Input = { small, matrix }, Output = { whole } };
        graph.Node.Insert(graph.Node.IndexOf(node.Node) + 1, product);
    }
}
