using System.Runtime.CompilerServices;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>
/// The path from a direct reader of a recurrent node's output, where all branches end in linear readers: the operators between only move the units or
/// act element by element.
/// </summary>
internal sealed class LinearPath
{
    /// <summary>Pointwise operators f with f(0) = 0: a unit that is zero stays zero.</summary>
    private static readonly string[] Pointwise =
        ["Relu", "LeakyRelu", "Tanh", "Abs", "Elu", "Selu", "Celu", "Neg", "Sqrt", "Sign", "Softsign", "Gelu"];

    private readonly ModelProto model;
    private readonly List<LinearReader> ends = [];
    private readonly List<Reshaping> reshapes = [];
    private readonly List<(Reader Reader, UnitLayout Layout)> shapes = [];
    private readonly List<(GraphProto Graph, string Value)> passed = [];
    private readonly List<BranchExit> exits = [];
    private readonly Action<string> begin;

    private LinearPath(ModelProto model, Action<string> begin) => (this.model, this.begin) = (model, begin);

    /// <summary>Whether a pointwise operator is on the path: then only a selection of units can be absorbed, no reconstruction.</summary>
    public bool IsPointwise { get; private set; }

    /// <summary>Where the path leaves branches.</summary>
    public IReadOnlyList<BranchExit> Exits => exits;

    /// <summary>The paths from a node's output, one for each direct reader behind which all is known.</summary>
    /// <param name="model">The whole graph.</param>
    /// <param name="scope">The node's.</param>
    /// <param name="value">The output.</param>
    /// <param name="layout">Of its units.</param>
    public static IEnumerable<LinearPath> Find(ModelProto model, Scope scope, string value, UnitLayout layout)
    {
        foreach (Reader reader in Reader.Find(scope, value).ToArray())
        {
            LinearPath path = new(model, small => reader.Node.Input[reader.Input] = small);
            if (path.Follow(reader, layout) && path.FitsShapes()) yield return path;
        }

        foreach ((Scope body, int index) in Reader.FindResults(scope, value).ToArray())
        {
            LinearPath path = new(model, small => body.Graph.Output[index].Name = small);
            if (path.Leave(body, index, layout) && path.FitsShapes()) yield return path;
        }
    }

    /// <summary>Makes the path read k units instead of H.</summary>
    /// <param name="constants">Takes the new weights.</param>
    /// <param name="small">The value with k units.</param>
    /// <param name="fold">A [H, k] for each direction.</param>
    /// <param name="done">Operators that were adapted already, by a path of another branch.</param>
    public void Take(ConstantPool constants, string small, Matrix[] fold, HashSet<NodeProto> done)
    {
        begin(small);
        foreach (Reshaping reshape in reshapes.Where(reshape => reshape.Input >= 0 && done.Add(reshape.Node)))
        {
            string old = reshape.Node.Input[reshape.Input];
            long[] narrower = [.. reshape.Shape[..^1], reshape.Shape[^1] / fold[0].Rows * fold[0].Columns];
            reshape.Node.Input[reshape.Input] = constants.Of($"{old}/folded", [narrower.Length], narrower);
            UnusedValues.Remove(reshape.Scope, old);
        }

        foreach (LinearReader end in ends.Where(end => done.Add(end.Reader.Node))) end.Absorb(constants, fold);

        // The shapes recorded for the values between are no longer valid.
        foreach ((GraphProto graph, string value) in passed)
            if (graph.ValueInfo.FirstOrDefault(info => info.Name == value) is { } info) graph.ValueInfo.Remove(info);
        foreach (BranchExit exit in exits)
            if (exit.Body.Output[exit.Index].Type?.TensorType is { } type) type.Shape = null;
    }

    private bool Follow(Reader reader, UnitLayout layout)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return false;
        if (TryEnd(reader, layout) is { } end)
        {
            ends.Add(end);
            return true;
        }

        NodeProto node = reader.Node;
        if (node.OpType == "Shape" && GraphWalk.IsStandard(node))
        {
            shapes.Add((reader, layout));
            return true;
        }

        if (reader.Input != 0 || Next(reader, layout) is not { } next || node.Output.Skip(1).Any(name => name.Length > 0)) return false;
        return FollowValue(reader.Scope, node.Output[0], next);
    }

    private bool FollowValue(Scope scope, string value, UnitLayout layout)
    {
        passed.Add((scope.Graph, value));
        return Reader.Find(scope, value).All(reader => Follow(reader, layout))
            && Reader.FindResults(scope, value).All(result => Leave(result.Scope, result.Index, layout));
    }

    // On behind an If, whose result the units are; other results are for the caller, or for the next iteration.
    private bool Leave(Scope scope, int index, UnitLayout layout)
    {
        if (scope.Owner is not { OpType: "If" } owner || !GraphWalk.IsStandard(owner) || index >= owner.Output.Count) return false;
        exits.Add(new BranchExit(owner, index, scope.Graph, layout));
        return owner.Output[index].Length == 0 || FollowValue(scope.Parent!, owner.Output[index], layout);
    }

    // The extent of the units may be asked for, if it goes nowhere but into the reshapes on this path, which then fit the k units by themselves.
    private bool FitsShapes() => shapes.TrueForAll(shape => ShapeValues.OnlyReshapes(
        model, shape.Reader, shape.Layout.Unit, shape.Layout.Rank, node => reshapes.Exists(reshape => ReferenceEquals(reshape.Reshape, node))));

    private UnitLayout? Next(Reader reader, UnitLayout layout)
    {
        NodeProto node = reader.Node;
        if (!GraphWalk.IsStandard(node)) return null;
        if (Pointwise.Contains(node.OpType) && node.Input.Count == 1)
        {
            IsPointwise = true;
            return layout;
        }

        switch (node.OpType)
        {
            case "Identity" or "Dropout":
                return node.Input.Skip(2).Any(name => name.Length > 0) ? null : layout; // a Dropout that is told whether it trains
            case "Cast":
                return Attributes.Integer(node, "to", 0) == Tensors.Float ? layout : null;
            case "Squeeze":
                return AxesOf(reader) is { } squeezed ? layout.Without(squeezed) : null;
            case "Unsqueeze":
                return AxesOf(reader) is { } added ? layout.With(added) : null;
            case "Transpose":
                return layout.Permuted(Attributes.Integers(node, "perm"));
            case "ReduceMean" or "ReduceSum":
                if (AxesOf(reader) is not { Length: > 0 } reduced) return null;
                return Attributes.Integer(node, "keepdims", 1) == 1 ? layout.Forgetting(reduced, 1) : layout.Without(reduced);
            case "Slice":
                return node.Input.Count > 3 && Integers(reader, 3) is { } sliced ? layout.Forgetting(sliced.Values) : null;
            case "Gather":
                if (node.Input.Count < 2 || Integers(reader, 1) is not { } indices) return null;
                long axis = Attributes.Integer(node, "axis", 0);
                return indices.Rank switch { 0 => layout.Without([axis]), 1 => layout.Forgetting([axis], indices.Values.Length), _ => null };
            case "Reshape" or "Flatten":
                return Reshape(reader, layout);
            default:
                return null;
        }
    }

    private UnitLayout? Reshape(Reader reader, UnitLayout layout)
    {
        NodeProto node = reader.Node;
        if (node.OpType == "Flatten")
        {
            // [rows, units] of [..., units].
            long from = Attributes.Integer(node, "axis", 1);
            return from == layout.Rank - 1 || from == -1 ? layout.Reshaped([-1, layout.Extents[layout.Unit]]) : null;
        }

        if (node.Input.Count < 2 || Attributes.Integer(node, "allowzero", 0) != 0) return null;
        if (Integers(reader, 1) is { } shape)
        {
            if (layout.Reshaped(shape.Values) is not { } next) return null;
            reshapes.Add(new Reshaping(reader.Scope, node, node, shape.Values[^1] > 0 ? 1 : -1, shape.Values));
            return next;
        }

        // A shape that is put together in the graph: of extents of the value itself, and of constants.
        if (ShapeValues.Find(model, reader.Scope, node.Input[1], node.Input[0], layout) is not { } made) return null;
        if (made.Last is { } constant) reshapes.Add(new Reshaping(reader.Scope, node, constant.Node, constant.Input, constant.Values));
        else if (made.IsOfUnits) reshapes.Add(new Reshaping(reader.Scope, node, node, -1, []));
        else return null;
        return layout.Reshaped(made.Shape);
    }

    private LinearReader? TryEnd(Reader reader, UnitLayout layout)
    {
        NodeProto node = reader.Node;
        if (reader.Input != 0 || layout.Direction >= 0 || !GraphWalk.IsStandard(node)) return null;
        bool isTransposed = Attributes.Integer(node, "transB", 0) != 0;
        (int weight, int axis, int rank, bool reads) = node.OpType switch
        {
            "MatMul" => (1, 0, 2, layout.Unit == layout.Rank - 1),
            "Gemm" => (1, isTransposed ? 1 : 0, 2, layout is { Rank: 2, Unit: 1 } && Attributes.Integer(node, "transA", 0) == 0),
            "Conv" => (1, 1, layout.Rank, layout.Unit == 1 && layout.Rank > 2 && Attributes.Integer(node, "group", 1) == 1),
            "RNN" or "LSTM" or "GRU" => (1, 2, 3, layout is { Rank: 3, Unit: 2 }),
            _ => (0, 0, 0, false),
        };
        if (!reads || node.Input.Count <= weight || node.Input[weight] == node.Input[0]) return null;
        Constant? constant = Constants.TryEvaluate(model, reader.Scope, node.Input[weight]);
        bool fits = constant is not null && constant.Extents.Length == rank && constant.Extents[axis] == layout.Extents[layout.Unit];
        return fits ? new LinearReader(reader, weight, constant!, axis, layout.IsMerged) : null;
    }

    // Axes are an attribute in old operator sets, an input in new ones.
    private long[]? AxesOf(Reader reader) =>
        reader.Node.Input.Count > 1 ? Integers(reader, 1)?.Values : Attributes.Integers(reader.Node, "axes");

    private (int Rank, long[] Values)? Integers(Reader reader, int input) => Constants.TryIntegers(model, reader.Scope, reader.Node.Input[input]);

    /// <summary>A reshape on the path, and the constant that holds the extent of the units: an input of it, or of a Concat that makes its shape.</summary>
    /// <param name="Scope">Of the reshape.</param>
    /// <param name="Reshape">The reshape.</param>
    /// <param name="Node">The operator that reads the constant.</param>
    /// <param name="Input">Index of the constant; -1 where the extent is computed of the value's own shape.</param>
    /// <param name="Shape">The constant; the last is the extent.</param>
    private sealed record Reshaping(Scope Scope, NodeProto Reshape, NodeProto Node, int Input, long[] Shape);
}
