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
    private readonly List<(Reader Reader, long[] Shape)> reshapes = [];
    private readonly List<(GraphProto Graph, string Value)> passed = [];

    private LinearPath(ModelProto model, Reader first) => (this.model, First) = (model, first);

    /// <summary>The reader of the node's output.</summary>
    public Reader First { get; }

    /// <summary>Whether a pointwise operator is on the path: then only a selection of units can be absorbed, no reconstruction.</summary>
    public bool IsPointwise { get; private set; }

    /// <summary>The path behind a reader; null where not all of it is known.</summary>
    public static LinearPath? Find(ModelProto model, Reader reader, UnitLayout layout)
    {
        LinearPath path = new(model, reader);
        return path.Follow(reader, layout) ? path : null;
    }

    /// <summary>Makes the path read k units instead of H.</summary>
    /// <param name="constants">Takes the new weights.</param>
    /// <param name="small">The value with k units.</param>
    /// <param name="fold">A [H, k] for each direction.</param>
    public void Take(ConstantPool constants, string small, Matrix[] fold)
    {
        First.Node.Input[First.Input] = small;
        foreach ((Reader reader, long[] shape) in reshapes)
        {
            string old = reader.Node.Input[1];
            long[] narrower = [.. shape[..^1], shape[^1] / fold[0].Rows * fold[0].Columns];
            reader.Node.Input[1] = constants.Of($"{old}/folded", [shape.Length], narrower);
            UnusedValues.Remove(reader.Scope, old);
        }

        foreach (LinearReader end in ends) end.Absorb(constants, fold);

        // The shapes recorded for the values between are no longer valid.
        foreach ((GraphProto graph, string value) in passed)
            if (graph.ValueInfo.FirstOrDefault(info => info.Name == value) is { } info) graph.ValueInfo.Remove(info);
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
        if (reader.Input != 0 || Next(reader, layout) is not { } next || node.Output.Skip(1).Any(name => name.Length > 0)) return false;
        string value = node.Output[0];
        if (Reader.IsResult(reader.Scope.Graph, value)) return false;
        passed.Add((reader.Scope.Graph, value));
        return Reader.Find(reader.Scope, value).All(further => Follow(further, next));
    }

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

        if (node.Input.Count < 2 || Attributes.Integer(node, "allowzero", 0) != 0 || Integers(reader, 1) is not { } shape) return null;
        if (layout.Reshaped(shape.Values) is not { } next) return null;
        if (shape.Values[^1] > 0) reshapes.Add((reader, shape.Values));
        return next;
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
            "RNN" or "LSTM" or "GRU" => (1, 2, 3, layout is { Rank: 3, Unit: 2 } && Attributes.Integer(node, "layout", 0) == 0),
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
}
