using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Tests.Graphs;

/// <summary>Graphs whose spectra are known.</summary>
internal static class KnownGraphs
{
    /// <summary>K_{a,b}: singular values sqrt(a b), 0, ...</summary>
    public static Matrix Complete(int right, int left) => Fill(right, left, (_, _) => true);

    /// <summary>Graphs side by side, without an edge between them: the singular values of all.</summary>
    public static Matrix Union(params Matrix[] parts) => Matrix.BlockDiagonal(parts);

    /// <summary>The double cover of the hypercube Q_n: |n - 2k|, each C(n, k) times.</summary>
    public static Matrix HypercubeCover(int n) => Fill(1 << n, 1 << n, (i, j) => System.Numerics.BitOperations.PopCount((uint)(i ^ j)) == 1);

    /// <summary>The hypercube Q_n itself, even nodes against odd ones: n, n - 2, ...</summary>
    public static Matrix Hypercube(int n)
    {
        int[] even = [.. Enumerable.Range(0, 1 << n).Where(i => System.Numerics.BitOperations.PopCount((uint)i) % 2 == 0)];
        int[] odd = [.. Enumerable.Range(0, 1 << n).Except(even)];
        return Fill(even.Length, odd.Length, (i, j) => System.Numerics.BitOperations.PopCount((uint)(even[i] ^ odd[j])) == 1);
    }

    /// <summary>The double cover of Petersen's graph, pairs out of five that are disjoint: 3, 2 (four times), 1 (five times).</summary>
    public static Matrix PetersenCover()
    {
        (int A, int B)[] pairs = [.. from a in Enumerable.Range(0, 5) from b in Enumerable.Range(a + 1, 4 - a) select (a, b)];
        return Fill(10, 10, (i, j) => pairs[i].A != pairs[j].A && pairs[i].A != pairs[j].B && pairs[i].B != pairs[j].A && pairs[i].B != pairs[j].B);
    }

    /// <summary>
    /// The points and lines of the projective plane of order q, a prime: degrees q + 1 on both sides, singular values q + 1, sqrt(q), ...
    /// </summary>
    public static Matrix ProjectivePlane(int q)
    {
        (int X, int Y, int Z)[] points =
            [.. from y in Enumerable.Range(0, q) from z in Enumerable.Range(0, q) select (1, y, z),
                .. from z in Enumerable.Range(0, q) select (0, 1, z), (0, 0, 1)];
        return Fill(points.Length, points.Length, (i, j) =>
            ((points[i].X * points[j].X) + (points[i].Y * points[j].Y) + (points[i].Z * points[j].Z)) % q == 0);
    }

    /// <summary>The nodes and edges of K_n: degrees n - 1 and 2, singular values sqrt(2 (n - 1)), sqrt(n - 2), ...</summary>
    public static Matrix CompleteIncidence(int n)
    {
        (int A, int B)[] edges = [.. from a in Enumerable.Range(0, n) from b in Enumerable.Range(a + 1, n - 1 - a) select (a, b)];
        return Fill(n, edges.Length, (i, j) => edges[j].A == i || edges[j].B == i);
    }

    private static Matrix Fill(int rows, int columns, Func<int, int, bool> isEdge)
    {
        Matrix result = new(rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) result[i, j] = isEdge(i, j) ? 1 : 0;
        return result;
    }
}
