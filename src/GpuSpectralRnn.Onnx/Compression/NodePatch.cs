using GpuSpectralRnn.Onnx.Folding;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// Makes a recurrent node smaller in place. Its inputs and outputs keep the H units: the kept ones are selected from the initial states, and the
/// outputs are restored by a product with A_J^T (c: the kept units in their places, zeros between them), unless the readers can absorb A_J.
/// </summary>
internal sealed class NodePatch
{
    private readonly ModelProto model;
    private readonly FreshNames names;
    private readonly ConstantPool constants;

    /// <summary>Changes a graph.</summary>
    public NodePatch(ModelProto model)
    {
        this.model = model;
        names = new FreshNames(model.Graph);
        constants = new ConstantPool(model, names);
    }

    /// <summary>Applies plans: first every node is cut, then its readers are adapted, which may be other cut nodes.</summary>
    public void Apply(IReadOnlyList<(RecurrentNode Node, NodePlan Plan)> plans)
    {
        foreach ((RecurrentNode node, NodePlan plan) in plans) Cut(node, plan);
        OutputFold[] folds = [.. plans.SelectMany(pair => OutputFold.Find(model, names, pair.Node, pair.Plan))];
        BranchExit.DropUnpaired(folds);
        HashSet<NodeProto> done = new(ReferenceEqualityComparer.Instance);
        foreach (OutputFold fold in folds) fold.Apply(constants, done);
    }

    private void Cut(RecurrentNode node, NodePlan plan)
    {
        RecurrentInput[] replaced = [RecurrentInput.W, RecurrentInput.R, RecurrentInput.B, RecurrentInput.P];
        string[] old = [.. replaced.Select(node.Input)];
        Replace(node, RecurrentInput.W, plan.Small.Input);
        Replace(node, RecurrentInput.R, plan.Small.Recurrent);
        if (plan.Small.Bias is { } bias) Replace(node, RecurrentInput.B, bias);
        if (plan.Small.Peephole is { } peephole) Replace(node, RecurrentInput.P, peephole);
        Attributes.Set(node.Node, "hidden_size", plan.Units);
        TakeKept(node, plan, RecurrentInput.InitialH);
        TakeKept(node, plan, RecurrentInput.InitialC);
        foreach (string name in old) UnusedValues.Remove(node.Scope, name);
    }

    private void Replace(RecurrentNode node, RecurrentInput input, Constant constant)
    {
        node.SetInput(input, constants.Of($"{node.Name}/{input}_{constant.Extents[1]}", constant.Extents, constant.Values));
    }

    // An initial state [D, N, H] is reduced to the kept units: by a Gather of their indices with one direction, by a product with a matrix of zeros
    // and ones with two.
    private void TakeKept(RecurrentNode node, NodePlan plan, RecurrentInput input)
    {
        string whole = node.Input(input);
        if (whole.Length == 0) return;
        string kept = names.Of($"{node.Name}/{input}/kept"), which = $"{kept}/units";
        NodeProto take = new() { Name = kept, Input = { whole }, Output = { kept } };
        if (plan.Directions == 1)
        {
            take.OpType = "Gather";
            take.Attribute.Add(Attributes.Create("axis", 2));
            take.Input.Add(constants.Of(which, [plan.Units], Array.ConvertAll(plan.Kept[0], unit => (long)unit)));
        }
        else
        {
            take.OpType = "MatMul";
            float[] values = [.. plan.Selection.SelectMany(selection => selection.ToSingle())];
            take.Input.Add(constants.Of(which, [plan.Directions, plan.Hidden, plan.Units], values));
        }

        node.Scope.Graph.Node.Insert(node.Scope.Graph.Node.IndexOf(node.Node), take);
        node.SetInput(input, kept);
    }
}
