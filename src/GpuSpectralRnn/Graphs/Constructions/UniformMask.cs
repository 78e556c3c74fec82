using GpuSpectralRnn.Data;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>Masks whose edges are drawn uniformly: what any graph has to be compared with.</summary>
public static class UniformMask
{
    /// <summary>Ones for <paramref name="edges"/> places of [rows, columns], all sets of places equally likely; zeros elsewhere.</summary>
    /// <exception cref="InvalidCallException">There are not so many places.</exception>
    public static Matrix Draw(int rows, int columns, int edges, ulong seed, ulong stream = 0)
    {
        EdgeCounts.Check(rows, columns, edges);
        Matrix mask = new(rows, columns);
        int[] places = [.. Enumerable.Range(0, rows * columns)];
        RandomStream random = new(seed, stream);
        for (int i = 0; i < edges; i++)
        {
            int other = i + random.Below(places.Length - i);
            (places[i], places[other]) = (places[other], places[i]);
            mask.Data[places[i]] = 1;
        }

        return mask;
    }
}
