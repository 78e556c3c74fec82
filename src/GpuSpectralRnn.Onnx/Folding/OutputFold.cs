using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>
/// Adapts the readers of an output of a smaller node: those behind which everything is linear absorb A into their weights and read the k units, the
/// others read the restored H units, the product with A^T [D, k, H].
/// </summary>
internal sealed class OutputFold
{
    private readonly RecurrentNode node;
    private readonly NodePlan plan;
    private readonly RecurrentOutput output;
    private readonly string whole;
    private readonly string small;

    private OutputFold(ModelProto model, FreshNames names, RecurrentNode node, NodePlan plan, RecurrentOutput output)
    {
        (this.node, this.plan, this.output, whole) = (node, plan, output, node.Output(output));
        small = names.Of($"{node.Name}/{output}_{plan.Units}");
        bool isSelection = output == RecurrentOutput.C || plan.IsSelection;
        UnitLayout layout = UnitLayout.Create(output == RecurrentOutput.Y, plan.Directions, plan.Hidden);
        Paths = [.. LinearPath.Find(model, node.Scope, whole, layout).Where(path => isSelection || !path.IsPointwise)];
    }

    /// <summary>The paths that can take the k units.</summary>
    public List<LinearPath> Paths { get; }

    /// <summary>The folds of a cut node's outputs, those that nothing reads left out.</summary>
    public static IEnumerable<OutputFold> Find(ModelProto model, FreshNames names, RecurrentNode node, NodePlan plan)
    {
        HashSet<string> read = [.. GraphWalk.Reads(node.Scope.Graph)];
        foreach (RecurrentOutput output in Enum.GetValues<RecurrentOutput>())
        {
            if (node.Output(output).Length == 0) continue;
            if (read.Contains(node.Output(output))) yield return new OutputFold(model, names, node, plan, output);
            else node.SetOutput(output, ""); // what is noted of its shape would be wrong now
        }
    }

    /// <summary>Whether the k units of both mean the same H.</summary>
    public bool IsLike(OutputFold other) =>
        ReferenceEquals(plan, other.plan) && (output == RecurrentOutput.C) == (other.output == RecurrentOutput.C);

    /// <summary>Rewires the readers.</summary>
    /// <param name="constants">For A and cut weights.</param>
    /// <param name="done">Operators that were adapted already, by a path of another branch.</param>
    public void Apply(ConstantPool constants, HashSet<NodeProto> done)
    {
        Matrix[] fold = output == RecurrentOutput.C ? plan.Selection : plan.Restore;
        node.SetOutput(output, small);
        foreach (LinearPath path in Paths) path.Take(constants, small, fold, done);
        GraphProto graph = node.Scope.Graph;
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
