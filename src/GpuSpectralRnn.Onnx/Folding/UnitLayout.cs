using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>The place of a recurrent node's units in an array made from its output by operators that only move them.</summary>
/// <param name="Extents">Extent of every axis; -1 where it is not known in advance.</param>
/// <param name="Unit">The axis of the units.</param>
/// <param name="Direction">The axis of two directions; -1 where there is one direction, or both are concatenated on the axis of the units.</param>
/// <param name="IsMerged">Whether both directions are concatenated on the axis of the units.</param>
internal sealed record UnitLayout(long[] Extents, int Unit, int Direction, bool IsMerged = false)
{
    /// <summary>Number of axes.</summary>
    public int Rank => Extents.Length;

    /// <summary>Of a node's output: Y [T, D, N, H], or Y_h and Y_c [D, N, H].</summary>
    public static UnitLayout Create(bool isSequence, int directions, int hidden)
    {
        long[] extents = isSequence ? [-1, directions, -1, hidden] : [directions, -1, hidden];
        return new UnitLayout(extents, extents.Length - 1, directions == 1 ? -1 : extents.Length - 3);
    }

    /// <summary>Whether the units lie in the same places.</summary>
    public bool IsLike(UnitLayout other) =>
        (Rank, Unit, Direction, IsMerged) == (other.Rank, other.Unit, other.Direction, other.IsMerged)
        && Extents[Unit] == other.Extents[Unit];

    /// <summary>Without axes.</summary>
    /// <returns>Null where the units are on one of them.</returns>
    public UnitLayout? Without(long[] axes)
    {
        int[] gone = [.. axes.Select(axis => Place(axis, Rank))];
        return gone.Any(axis => axis < 0 || axis >= Rank || axis == Unit || axis == Direction) ? null : Taken([.. Axes.Except(gone)]);
    }

    /// <summary>With new axes of one element.</summary>
    public UnitLayout? With(long[] axes)
    {
        int rank = Rank + axes.Length;
        int[] added = [.. axes.Select(axis => Place(axis, rank))];
        if (added.Any(axis => axis < 0 || axis >= rank) || added.Distinct().Count() < added.Length) return null;
        int old = 0;
        return Taken([.. Enumerable.Range(0, rank).Select(axis => added.Contains(axis) ? -1 : old++)]);
    }

    /// <summary>With axes in another order.</summary>
    public UnitLayout? Permuted(long[]? order)
    {
        int[] axes = order is null ? [.. Axes.Reverse()] : Array.ConvertAll(order, axis => (int)axis);
        return axes.Order().SequenceEqual(Axes) ? Taken(axes) : null;
    }

    /// <summary>With the extent of an axis forgotten, as after a slice or a mean.</summary>
    public UnitLayout? Forgetting(long[] axes, long extent = -1)
    {
        int[] changed = [.. axes.Select(axis => Place(axis, Rank))];
        if (changed.Any(axis => axis < 0 || axis >= Rank || axis == Unit || axis == Direction)) return null;
        return this with { Extents = [.. Extents.Select((old, axis) => changed.Contains(axis) ? extent : old)] };
    }

    /// <summary>
    /// In another shape (0: as before, -1: what is left), where the units remain an axis of their own, the last, or two directions of them are
    /// concatenated there.
    /// </summary>
    public UnitLayout? Reshaped(long[] shape)
    {
        int last = shape.Length - 1;
        if (last < 0 || Unit != Rank - 1 || Unit < last && shape[Unit] == 0) return null;
        long units = Extents[Unit], asked = shape[last] == 0 && last == Unit ? units : shape[last];
        if (asked == -1)
        {
            // What is left is known only where every other axis is copied.
            if (last >= Rank || shape[..last].Any(extent => extent != 0) || Extents[last..].Contains(-1)) return null;
            asked = Extents[last..].Aggregate(1L, (a, b) => a * b);
        }

        bool merges = Direction >= 0 && Direction == Unit - 1 && asked == Extents[Direction] * units;
        if (asked != units && !merges || asked == units && Direction >= 0) return null;
        long[] extents = [.. shape[..last].Select((extent, axis) => extent != 0 ? extent : axis < Rank ? Extents[axis] : -1), asked];
        return new UnitLayout(extents, last, -1, IsMerged || merges);
    }

    private IEnumerable<int> Axes => Enumerable.Range(0, Rank);

    private static int Place(long axis, int rank) => (int)(axis < 0 ? axis + rank : axis);

    private UnitLayout Taken(int[] axes) => new(
        [.. axes.Select(axis => axis < 0 ? 1 : Extents[axis])],
        Array.IndexOf(axes, Unit),
        Direction < 0 ? -1 : Array.IndexOf(axes, Direction),
        IsMerged);
}
