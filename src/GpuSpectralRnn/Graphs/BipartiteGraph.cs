using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Graphs;

/// <summary>
/// A layer as a bipartite graph: the inputs of a weight matrix on the left, its outputs on the right, an edge for every weight that is kept
/// (docs/method.md, section 16).
/// </summary>
public sealed class BipartiteGraph
{
    private readonly int[] leftNodes, rightNodes; // those that have an edge, ascending

    /// <summary>The graph of a matrix and its mask.</summary>
    /// <param name="weights">W [right, left], as PyTorch stores it: outputs by inputs.</param>
    /// <param name="mask">Nonzero where there is an edge, of W's extents; null: where W is not zero.</param>
    /// <exception cref="ArgumentException">The extents differ.</exception>
    public BipartiteGraph(Matrix weights, Matrix? mask = null)
    {
        mask ??= weights;
        if (mask.Rows != weights.Rows || mask.Columns != weights.Columns)
            throw new ArgumentException($"{mask} does not fit {weights}.", nameof(mask));
        (Right, Left) = (weights.Rows, weights.Columns);
        (LeftDegrees, RightDegrees) = (new int[Left], new int[Right]);
        for (int i = 0; i < Right; i++)
        {
            for (int j = 0; j < Left; j++)
            {
                if (mask[i, j] == 0) continue;
                LeftDegrees[j]++;
                RightDegrees[i]++;
                Edges++;
            }
        }

        leftNodes = [.. Enumerable.Range(0, Left).Where(j => LeftDegrees[j] > 0)];
        rightNodes = [.. Enumerable.Range(0, Right).Where(i => RightDegrees[i] > 0)];
        Biadjacency = new Matrix(rightNodes.Length, leftNodes.Length);
        Strengths = new Matrix(rightNodes.Length, leftNodes.Length);
        for (int i = 0; i < rightNodes.Length; i++)
        {
            for (int j = 0; j < leftNodes.Length; j++)
            {
                if (mask[rightNodes[i], leftNodes[j]] == 0) continue;
                Biadjacency[i, j] = 1;
                Strengths[i, j] = Math.Abs(weights[rightNodes[i], leftNodes[j]]);
            }
        }
    }

    /// <summary>Nodes on the left: inputs.</summary>
    public int Left { get; }

    /// <summary>Nodes on the right: outputs.</summary>
    public int Right { get; }

    /// <summary>Weights that are kept.</summary>
    public long Edges { get; }

    /// <summary>Edges over those of the complete graph.</summary>
    public double Density => Left == 0 || Right == 0 ? 0 : (double)Edges / ((double)Left * Right);

    /// <summary>Whether every node that has an edge has all: B is of ones, and its singular values are sqrt(edges), 0, ...</summary>
    public bool IsComplete => Edges == (long)leftNodes.Length * rightNodes.Length;

    /// <summary>Edges of every node on the left.</summary>
    public int[] LeftDegrees { get; }

    /// <summary>Edges of every node on the right.</summary>
    public int[] RightDegrees { get; }

    /// <summary>Nodes on the left without an edge: inputs that nothing reads.</summary>
    public int EmptyLeft => Left - leftNodes.Length;

    /// <summary>Nodes on the right without an edge: outputs that nothing reaches.</summary>
    public int EmptyRight => Right - rightNodes.Length;

    /// <summary>d_L: edges over the nodes on the left that have one; 0 where there is no edge.</summary>
    public double MeanLeftDegree => leftNodes.Length == 0 ? 0 : (double)Edges / leftNodes.Length;

    /// <summary>d_R, the same on the right.</summary>
    public double MeanRightDegree => rightNodes.Length == 0 ? 0 : (double)Edges / rightNodes.Length;

    /// <summary>B: ones for edges, between the nodes that have one, right by left.</summary>
    public Matrix Biadjacency { get; }

    /// <summary>|w| in the place of the ones of <see cref="Biadjacency"/>.</summary>
    public Matrix Strengths { get; }

    /// <summary>D_R^(-1/2) B D_L^(-1/2), whose largest singular value is 1.</summary>
    public Matrix Normalised()
    {
        Matrix result = Biadjacency.Clone();
        for (int i = 0; i < result.Rows; i++)
            for (int j = 0; j < result.Columns; j++) result[i, j] /= Math.Sqrt((double)RightDegrees[rightNodes[i]] * LeftDegrees[leftNodes[j]]);
        return result;
    }

    /// <summary>
    /// The subgraphs of all nodes on the left of one degree, with what they reach: d-left-regular graphs, for every degree that so many nodes share.
    /// </summary>
    /// <param name="least">Nodes that must share a degree.</param>
    public IEnumerable<BipartiteGraph> RegularSubgraphs(int least)
    {
        IEnumerable<IGrouping<int, int>> byDegree = Enumerable.Range(0, leftNodes.Length).GroupBy(j => LeftDegrees[leftNodes[j]]);
        foreach (IGrouping<int, int> alike in byDegree.OrderBy(group => group.Key))
        {
            int[] columns = [.. alike];
            if (columns.Length >= least) yield return new BipartiteGraph(Biadjacency.SelectColumns(columns));
        }
    }

    /// <summary>For example <c>128 - 128, 1,638 edges</c>.</summary>
    public override string ToString() => $"{Left} - {Right}, {Edges:N0} edges";
}
