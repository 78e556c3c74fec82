using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Units that masks have left without weights: those that nobody reads, and those that are zero whatever comes in. Without them the network gives the
/// same outputs, so that slicing them away loses nothing. Only axes that are read through weights alone, and tied to no other.
/// </summary>
public static class EmptyUnits
{
    /// <summary>The plan that drops them; null where there are none. An axis keeps one unit at least.</summary>
    public static PruningPlan? Find(NetworkWeights weights)
    {
        Graph graph = weights.Graph;
        Dictionary<string, bool[]> empty = graph.PrunableAxes.ToDictionary(axis => axis.Name, axis => new bool[axis.Units]);
        for (bool isNew = true; isNew;)
        {
            isNew = false;
            foreach (PrunableAxis axis in graph.PrunableAxes.Where(axis => axis.IsFoldable && axis.TiedTo.Count == 0))
            {
                bool[] own = empty[axis.Name];
                for (int unit = 0; unit < axis.Units; unit++)
                {
                    if (own[unit] || own.Count(isEmpty => !isEmpty) == 1) continue;
                    own[unit] = !IsRead(weights, axis.Axis, unit, empty) || IsZero(weights, axis.Axis, unit, empty);
                    isNew |= own[unit];
                }
            }
        }

        if (empty.Values.All(units => !units.Contains(true))) return null;
        UnitPlan[] plans = [.. graph.PrunableAxes.Select(axis => UnitPlan.Whole(axis.Units) with
        {
            Kept = [.. Enumerable.Range(0, axis.Units).Where(unit => !empty[axis.Name][unit])],
        })];
        return new PruningPlan("empty units", plans);
    }

    /// <summary>The network without its empty units, which the caller owns; null where it has none.</summary>
    public static Network? Slice(Network network)
    {
        NetworkWeights weights = NetworkWeights.Read(network);
        return Find(weights) is { } plan ? Slicer.Slice(weights, plan).ToNetwork(network.Backend) : null;
    }

    /// <summary>
    /// Masks the biases of units of recurrences that no weight reaches any more, in any gate: what they would say is the same whatever comes in. They
    /// are then zero.
    /// </summary>
    internal static void MaskBiases(Network network)
    {
        foreach (Recurrent cell in network.Graph.Nodes.Select(node => node.Module).OfType<Recurrent>().Where(cell => cell.Rank == 0))
        {
            if (network.Parameters.MaskOf(cell.InputWeight) is not { } input
                || network.Parameters.MaskOf(cell.HiddenWeight) is not { } hidden) continue;
            int gates = cell.Cell.Gates(), rows = (int)network.Parameters[cell.InputBias].Count, units = rows / gates;
            bool Reaches(float[] mask, int unit) => Enumerable.Range(0, gates).Any(
                gate => mask.AsSpan(((gate * units) + unit) * (mask.Length / rows), mask.Length / rows).ContainsAnyExcept(0));
            int[] silent = [.. Enumerable.Range(0, units).Where(unit => !Reaches(input, unit) && !Reaches(hidden, unit))];
            if (silent.Length == 0) continue;
            float[] ones = new float[rows];
            Array.Fill(ones, 1);
            foreach (int unit in silent)
                for (int gate = 0; gate < gates; gate++) ones[(gate * units) + unit] = 0;
            network.Parameters.SetMask(cell.InputBias, ones);
            network.Parameters.SetMask(cell.HiddenBias, ones);
        }
    }

    // Whether a row of a unit that stays reads it.
    private static bool IsRead(NetworkWeights weights, UnitAxis axis, int unit, Dictionary<string, bool[]> empty)
    {
        foreach (Node node in weights.Graph.Nodes)
        {
            foreach (ReadsLinearly use in node.Uses.OfType<ReadsLinearly>().Where(use => use.Axis == axis))
            {
                Matrix matrix = weights[use.Parameter];
                HashSet<int> gone = [.. node.UsesOf(use.Parameter).OfType<RowsOfUnits>().SelectMany(rows => Gone(rows, empty))];
                for (int row = 0; row < matrix.Rows; row++)
                    if (matrix[row, use.FirstColumn + unit] != 0 && !gone.Contains(row)) return true;
            }
        }

        return false;
    }

    private static IEnumerable<int> Gone(RowsOfUnits rows, Dictionary<string, bool[]> empty) =>
        from block in Enumerable.Range(0, rows.Blocks)
        from unit in Enumerable.Range(0, rows.Axis.Size)
        where empty.TryGetValue(rows.Axis.Name, out bool[]? units) && units[unit]
        select (block * (rows.Stride == 0 ? rows.Axis.Size : rows.Stride)) + rows.FirstRow + unit;

    // Whether a recurrence's unit is zero at every step: its candidate is, since no unit that stays and no bias moves it.
    private static bool IsZero(NetworkWeights weights, UnitAxis axis, int unit, Dictionary<string, bool[]> empty)
    {
        Node? node = weights.Graph.Nodes.FirstOrDefault(node => node.Module is Recurrent { Rank: 0 } cell && cell.Axis == axis.Name);
        if (node?.Module is not Recurrent module) return false;
        int gate = module.Cell.Kind() switch
        {
            CellKind.Lstm or CellKind.LstmPeephole => 2, // g: c then stays zero
            CellKind.Gru or CellKind.GruResetBefore => 2, // n
            _ => 0,
        };
        int row = (gate * axis.Size) + unit;
        double inputBias = weights[module.InputBias].Data[row], hiddenBias = weights[module.HiddenBias].Data[row];
        bool isSilent = module.Cell.Kind() switch
        {
            CellKind.RnnRelu => inputBias + hiddenBias <= 0,
            CellKind.Gru or CellKind.GruResetBefore => inputBias == 0 && hiddenBias == 0,
            _ => inputBias + hiddenBias == 0,
        };
        if (!isSilent) return false;
        foreach (string parameter in (string[])[module.InputWeight, module.HiddenWeight])
        {
            Matrix matrix = weights[parameter];
            bool[] gone = new bool[matrix.Columns];
            foreach (ReadsLinearly read in node.UsesOf(parameter).OfType<ReadsLinearly>())
                if (empty.TryGetValue(read.Axis.Name, out bool[]? units)) units.CopyTo(gone, read.FirstColumn);
            for (int j = 0; j < matrix.Columns; j++)
                if (matrix[row, j] != 0 && !gone[j]) return false;
        }

        return true;
    }
}
