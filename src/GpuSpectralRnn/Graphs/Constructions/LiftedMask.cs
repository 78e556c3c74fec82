using GpuSpectralRnn.Data;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>
/// Masks by 2-lifts (Bilu and Linial, Combinatorica 26, 2006; Marcus, Spielman, Srivastava 2015 show that a bipartite Ramanujan graph always has a
/// Ramanujan one): from a small graph, every node is doubled and the two edges in the place of each run straight or crossed. The new singular values
/// are those of the matrix of signs; of some random signings the one with the least norm is taken.
/// </summary>
public static class LiftedMask
{
    /// <summary>Signings tried for each lift.</summary>
    private const int Signings = 8;

    /// <summary>Nodes on a side below which graphs are not halved further.</summary>
    private const int LeastNodes = 4;

    /// <summary>Ones for the kept places of [rows, columns]; as dense as asked for up to the rounding of the small graph's edges.</summary>
    /// <param name="rows">Rows; halved as long as both extents are even and the small graph is not denser than complete.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="edges">Edges.</param>
    /// <param name="seed">Of the small graph and of the signings.</param>
    /// <param name="stream">The stream of random numbers.</param>
    /// <exception cref="InvalidCallException">There are not so many places.</exception>
    public static Matrix Draw(int rows, int columns, int edges, ulong seed, ulong stream = 0)
    {
        EdgeCounts.Check(rows, columns, edges);
        double density = (double)edges / rows / columns;
        int lifts = 0;
        for (int scale = 2; rows % scale == 0 && columns % scale == 0 && density * scale <= 1; scale *= 2)
            if (Math.Min(rows, columns) / scale >= LeastNodes) lifts++;
        (int smallRows, int smallColumns) = (rows >> lifts, columns >> lifts);
        Matrix mask = BiregularMask.Draw(smallRows, smallColumns, EdgeCounts.Of(smallRows, smallColumns, density * (1 << lifts)), seed, stream);
        RandomStream random = new(seed, stream + 1);
        for (int lift = 0; lift < lifts; lift++) mask = Lift(mask, ref random);
        return mask;
    }

    private static Matrix Lift(Matrix mask, ref RandomStream random)
    {
        Matrix? best = null;
        double least = double.PositiveInfinity;
        for (int t = 0; t < Signings; t++)
        {
            Matrix signs = mask.Clone();
            for (int i = 0; i < signs.Data.Length; i++)
                if (signs.Data[i] != 0 && random.Below(2) == 0) signs.Data[i] = -1;
            double norm = SingularValues.LargestTwo(signs).First;
            if (norm < least) (best, least) = (signs, norm);
        }

        (int rows, int columns) = (mask.Rows, mask.Columns);
        Matrix lifted = new(2 * rows, 2 * columns);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                if (mask[i, j] == 0) continue;
                int crossed = best![i, j] < 0 ? columns : 0;
                lifted[i, j + crossed] = 1;
                lifted[rows + i, columns + j - crossed] = 1;
            }
        }

        return lifted;
    }
}
