using System.Runtime.CompilerServices;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>
/// Shapes that a graph puts together of the extents of its values, as exporters do where some are not known in advance: Shape, then Slice, Gather, Mul,
/// Concat, then Reshape.
/// </summary>
internal static class ShapeValues
{
    /// <summary>Where the extent that holds the unit is after shapes were put together.</summary>
    private const int Somewhere = -1;

    /// <summary>What is known of the shape that a value is reshaped to.</summary>
    /// <param name="model">The whole graph.</param>
    /// <param name="scope">Of the reshape.</param>
    /// <param name="shape">The name of the shape.</param>
    /// <param name="value">The value that is reshaped.</param>
    /// <param name="layout">Of its units.</param>
    /// <returns>Null where not even the number of extents is known.</returns>
    public static MadeShape? Find(ModelProto model, Scope scope, string shape, string value, UnitLayout layout)
    {
        if (Evaluate(model, scope, shape, value, layout) is not { Length: > 0 } extents) return null;
        long[] known = [.. extents.Select((extent, axis) => extent.Axis == axis ? 0 : extent.Number ?? -1)];
        LastExtent? last = null;
        if (scope.Producer(shape) is { OpType: "Concat" } concat
            && Constants.TryIntegers(model, scope, concat.Input[^1]) is { Values: [.., > 0] } constant)
            last = new LastExtent(concat, concat.Input.Count - 1, constant.Values);
        return new MadeShape(known, last, extents[^1].IsOfUnits || known[^1] == -1);
    }

    /// <summary>Whether the units' extent, which Shape reads, becomes nothing but the shape of known reshapes.</summary>
    /// <param name="model">The whole graph.</param>
    /// <param name="reader">The Shape.</param>
    /// <param name="unit">The units' axis.</param>
    /// <param name="rank">Number of axes.</param>
    /// <param name="isKnown">Whether a reshape is one of them.</param>
    public static bool OnlyReshapes(ModelProto model, Reader reader, int unit, int rank, Func<NodeProto, bool> isKnown)
    {
        (int start, int end) = Range(reader.Node, rank);
        return unit < start || unit >= end || Follow(reader.Scope, reader.Node.Output[0], unit - start);

        bool Follow(Scope scope, string value, int at)
        {
            return RuntimeHelpers.TryEnsureSufficientExecutionStack()
                && !Reader.FindResults(scope, value).Any() && Reader.Find(scope, value).All(next => Passes(next, at));
        }

        bool Passes(Reader next, int at)
        {
            NodeProto node = next.Node;
            if (!GraphWalk.IsStandard(node)) return false;
            switch (node.OpType)
            {
                case "Reshape" when next.Input == 1:
                    return isKnown(node);
                case "Reshape" or "Squeeze" or "Unsqueeze" or "Cast" or "Identity" when next.Input == 0:
                case "Mul":
                    return Follow(next.Scope, node.Output[0], at);
                case "Concat":
                    return Follow(next.Scope, node.Output[0], Somewhere);
                case "Slice" or "Gather" when next.Input == 0 && Taken(model, next.Scope, node) is { } taken:
                    return at == Somewhere ? Follow(next.Scope, node.Output[0], Somewhere)
                        : !taken(end - start).Contains(at) || Follow(next.Scope, node.Output[0], Array.IndexOf(taken(end - start), at));
                default:
                    return false;
            }
        }
    }

    private static Extent[]? Evaluate(ModelProto model, Scope scope, string name, string value, UnitLayout layout)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) return null;
        if (Constants.TryIntegers(model, scope, name) is { } constant) return Array.ConvertAll(constant.Values, number => new Extent(number));
        if (scope.Producer(name) is not { } node || !GraphWalk.IsStandard(node)) return null;
        Extent[]? Of(int input) => Evaluate(model, scope, node.Input[input], value, layout);
        switch (node.OpType)
        {
            case "Shape" when node.Input[0] == value:
                (int start, int end) = Range(node, layout.Rank);
                return [.. Enumerable.Range(start, Math.Max(0, end - start)).Select(axis =>
                    new Extent(layout.Extents[axis] < 0 ? null : layout.Extents[axis], axis, axis == layout.Unit))];
            case "Slice" or "Gather" when Taken(model, scope, node) is { } taken:
                if (Of(0) is { } all)
                    return taken(all.Length) is var places && Array.TrueForAll(places, at => at >= 0 && at < all.Length)
                        ? Array.ConvertAll(places, at => all[at])
                        : null;

                // Extents of another value: how many is all that matters.
                return Array.ConvertAll(taken(int.MaxValue), _ => new Extent(null)) is { Length: <= 8 } unknown ? unknown : null;
            case "Squeeze" or "Unsqueeze" or "Reshape" or "Cast" or "Identity":
                return Of(0);
            case "Mul" when Of(0) is { } a && Of(1) is { } b && (a.Length == b.Length || a.Length == 1 || b.Length == 1):
                return [.. Enumerable.Range(0, Math.Max(a.Length, b.Length)).Select(i => Times(a[a.Length == 1 ? 0 : i], b[b.Length == 1 ? 0 : i]))];
            case "Concat":
                Extent[]?[] parts = [.. Enumerable.Range(0, node.Input.Count).Select(Of)];
                return Array.TrueForAll(parts, part => part is not null) ? [.. parts.SelectMany(part => part!)] : null;
            default:
                return null;
        }
    }

    private static Extent Times(Extent a, Extent b) => new(a.Number * b.Number, -1, a.IsOfUnits || b.IsOfUnits);

    // The entries that a Slice or Gather takes out of a vector, for the vector's length; null where that is not known in advance.
    private static Func<int, int[]>? Taken(ModelProto model, Scope scope, NodeProto node)
    {
        long[]? Constant(int input) => node.Input.Count > input ? Constants.TryIntegers(model, scope, node.Input[input])?.Values : null;
        if (node.OpType == "Gather")
            return Constant(1) is { } indices ? length => Array.ConvertAll(indices, at => (int)(at < 0 ? at + length : at)) : null;
        if (Constant(1) is not [var start] || Constant(2) is not [var end]) return null;
        if (Constant(4) is not (null or [1]) || node.Input.Count > 4 && Constant(4) is null) return null;
        return length =>
        {
            long Place(long at) => Math.Clamp(at < 0 ? at + length : at, 0, length);
            long count = Place(end) - Place(start);
            return count is > 0 and <= 64 ? [.. Enumerable.Range((int)Place(start), (int)count)] : [];
        };
    }

    // The axes whose extents a Shape gives.
    private static (int Start, int End) Range(NodeProto shape, int rank)
    {
        int Place(long at) => (int)Math.Clamp(at < 0 ? at + rank : at, 0, rank);
        return (Place(Attributes.Integer(shape, "start", 0)), Place(Attributes.Integer(shape, "end", rank)));
    }

    // An extent: what it is, the axis of the value that has it, whether it is, or is a multiple of, the number of units.
    private readonly record struct Extent(long? Number, int Axis = -1, bool IsOfUnits = false);
}

/// <summary>A shape that is put together in the graph.</summary>
/// <param name="Shape">0: as the value's own axis; -1: not known.</param>
/// <param name="Last">The constant that the last extent is from; null where it is none.</param>
/// <param name="IsOfUnits">Whether the last extent follows the number of the units by itself.</param>
internal sealed record MadeShape(long[] Shape, LastExtent? Last, bool IsOfUnits);

/// <summary>A constant that ends a shape.</summary>
/// <param name="Node">The Concat that makes the shape.</param>
/// <param name="Input">Index of the constant.</param>
/// <param name="Values">Its extents, the last is that of the units.</param>
internal sealed record LastExtent(NodeProto Node, int Input, long[] Values);
