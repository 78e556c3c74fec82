using GpuSpectralRnn.Data;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>
/// Random biregular masks: every row has as many edges as every other, and so has every column, up to one where the numbers do not divide. Drawn by
/// switches of pairs of edges from one such graph; random biregular graphs are nearly Ramanujan with high probability.
/// </summary>
public static class BiregularMask
{
    /// <summary>Switches tried for every edge: beyond some ten the graph has forgotten where it began.</summary>
    private const int SwitchesPerEdge = 20;

    /// <summary>Ones for <paramref name="edges"/> places of [rows, columns]; zeros elsewhere.</summary>
    /// <exception cref="InvalidCallException">There are not so many places.</exception>
    public static Matrix Draw(int rows, int columns, int edges, ulong seed, ulong stream = 0)
    {
        EdgeCounts.Check(rows, columns, edges);
        Matrix mask = new(rows, columns);
        int[] room = [.. Enumerable.Range(0, columns).Select(j => Share(edges, columns, j))];
        List<(int Row, int Column)> list = [];
        for (int i = 0; i < rows; i++)
        {
            // The columns with the most room left (Gale and Ryser: this never gets stuck), from a place that moves on.
            int[] order = [.. Enumerable.Range(0, columns).Select(j => (j + i) % columns).OrderByDescending(j => room[j])];
            foreach (int j in order.AsSpan(0, Share(edges, rows, i)))
            {
                room[j]--;
                mask[i, j] = 1;
                list.Add((i, j));
            }
        }

        RandomStream random = new(seed, stream);
        for (long t = 0; t < (long)SwitchesPerEdge * edges; t++)
        {
            (int a, int b) = (random.Below(edges), random.Below(edges));
            ((int i, int j), (int k, int l)) = (list[a], list[b]);
            if (mask[i, l] != 0 || mask[k, j] != 0) continue;
            (mask[i, j], mask[k, l], mask[i, l], mask[k, j]) = (0, 0, 1, 1);
            (list[a], list[b]) = ((i, l), (k, j));
        }

        return mask;
    }

    // The part of the edges that one of so many nodes has.
    private static int Share(int edges, int nodes, int node) => (int)(((long)edges * (node + 1) / nodes) - ((long)edges * node / nodes));
}
