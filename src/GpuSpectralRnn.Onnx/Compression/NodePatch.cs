using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>
/// Makes a recurrent node smaller in its place. What goes in and comes out keeps its H units: the kept ones are taken from the initial states, and the outputs
/// are made of the kept ones by a product with A_J^T (c: the kept ones in their places, zeros between them).
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

    /// <summary>Carries out the plan.</summary>
    public void Apply(RecurrentNode node, NodePlan plan)
    {
        NodeWeights weights = NodeWeights.Read(model, node);
        RecurrentInput[] replaced = [RecurrentInput.W, RecurrentInput.R, RecurrentInput.B, RecurrentInput.P];
        string[] old = [.. replaced.Select(node.Input)];
        Replace(node, RecurrentInput.W, Rows(weights.Input, plan, weights.Gates));
        Replace(node, RecurrentInput.R, Recurrent(weights, plan));
        if (weights.Bias is { } bias) Replace(node, RecurrentInput.B, Rows(bias, plan, 2 * weights.Gates));
        if (weights.Peephole is { } peephole) Replace(node, RecurrentInput.P, Rows(peephole, plan, 3));
        Attributes.Set(node.Node, "hidden_size", plan.Units);
        TakeKept(node, plan, RecurrentInput.InitialH);
        TakeKept(node, plan, RecurrentInput.InitialC);
        OutputFold fold = new(names, constants, node, plan);
        fold.Restore(RecurrentOutput.Y, plan.Fold);
        fold.Restore(RecurrentOutput.H, plan.Fold);
        fold.Restore(RecurrentOutput.C, [.. plan.Kept.Select(kept => Matrix.Identity(plan.Hidden).SelectColumns(kept))]);
        foreach (string name in old) UnusedValues.Remove(node.Scope, name);
    }

    // The rows of the kept units, block by block, of [D, blocks H, ...].
    private static Constant Rows(Constant constant, NodePlan plan, int blocks)
    {
        int row = constant.Values.Length / (plan.Directions * blocks * plan.Hidden), at = 0;
        float[] values = new float[plan.Directions * blocks * plan.Units * row];
        for (int d = 0; d < plan.Directions; d++)
        {
            for (int block = 0; block < blocks; block++)
            {
                foreach (int unit in plan.Kept[d])
                {
                    int first = ((d * blocks + block) * plan.Hidden + unit) * row;
                    constant.Values.AsSpan(first, row).CopyTo(values.AsSpan(at));
                    at += row;
                }
            }
        }

        return new Constant([plan.Directions, blocks * plan.Units, .. constant.Extents.Skip(2)], values);
    }

    // R_J A_J of every gate.
    private static Constant Recurrent(NodeWeights weights, NodePlan plan)
    {
        List<float> values = [];
        for (int d = 0; d < plan.Directions; d++)
        {
            int[] rows = [.. Enumerable.Range(0, weights.Gates).SelectMany(gate => plan.Kept[d].Select(unit => gate * plan.Hidden + unit))];
            values.AddRange((weights.RecurrentOf(d).SelectRows(rows) * plan.Fold[d]).ToSingle());
        }

        return new Constant([plan.Directions, weights.Gates * plan.Units, plan.Units], [.. values]);
    }

    private void Replace(RecurrentNode node, RecurrentInput input, Constant constant)
    {
        node.SetInput(input, constants.Of($"{node.Name}/{input}_{constant.Extents[1]}", constant.Extents, constant.Values));
    }

    // An initial state [D, N, H] loses its other units: by their numbers where there is one direction, by a product with zeros and ones where there are two.
    private void TakeKept(RecurrentNode node, NodePlan plan, RecurrentInput input)
    {
        string whole = node.Input(input);
        if (whole.Length == 0) return;
        string kept = names.Of($"{node.Name}/{input}/kept"), which = $"{kept}/units";
        NodeProto take = new() { Name = kept, Input = { whole }, Output = { kept } };
        if (plan.Directions == 1)
        {
            take.OpType = "Gather";
            take.Attribute.Add(Attributes.Of("axis", 2));
            take.Input.Add(constants.Of(which, [plan.Units], Array.ConvertAll(plan.Kept[0], unit => (long)unit)));
        }
        else
        {
            take.OpType = "MatMul";
            float[] values = [.. plan.Kept.SelectMany(units => Matrix.Identity(plan.Hidden).SelectColumns(units).ToSingle())];
            take.Input.Add(constants.Of(which, [plan.Directions, plan.Hidden, plan.Units], values));
        }

        node.Scope.Graph.Node.Insert(node.Scope.Graph.Node.IndexOf(node.Node), take);
        node.SetInput(input, kept);
    }
}
