using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Tests.Compute;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Graphs;

/// <summary>Singular values and bounds of graphs whose spectra are known, on every device.</summary>
public abstract class ExpansionTests(DeviceFixture device) : OperationTests(device)
{
    // Gram matrices of ones are exact on every device; the vectors of a double eigenvalue problem are good to 1e-12.
    private const double Exact = 1e-6;

    [SkippableFact]
    public void Known_graphs_have_their_two_largest_singular_values()
    {
        Check(KnownGraphs.Complete(7, 5), Math.Sqrt(35), 0);
        Check(KnownGraphs.Complete(1, 4), 2, 0);
        Check(KnownGraphs.Complete(66, 80), Math.Sqrt(66 * 80), 0);
        Check(KnownGraphs.Union(KnownGraphs.Complete(4, 4), KnownGraphs.Complete(4, 4)), 4, 4);
        Check(KnownGraphs.Union(KnownGraphs.Complete(5, 3), KnownGraphs.PetersenCover()), Math.Sqrt(15), 3);
        Check(KnownGraphs.HypercubeCover(4), 4, 4);
        Check(KnownGraphs.Hypercube(5), 5, 3);
        Check(KnownGraphs.PetersenCover(), 3, 2);
        Check(KnownGraphs.ProjectivePlane(3), 4, Math.Sqrt(3));
        Check(KnownGraphs.CompleteIncidence(6), Math.Sqrt(10), 2);
        Check(KnownGraphs.CompleteIncidence(6).Transpose(), Math.Sqrt(10), 2);
    }

    [SkippableFact]
    public void Quantities_follow_from_degrees_and_singular_values()
    {
        Expansion petersen = Expansion.Compute(Backend, new BipartiteGraph(-0.5 * KnownGraphs.PetersenCover()));
        Assert.True(petersen.IsEvaluated);
        Assert.True(petersen.IsRamanujan);
        double bound = 2 * Math.Sqrt(2);
        Close.Equal(
            [bound - 2, (bound - 2) / bound, bound - 2, bound - 2, 1, 0.5, 1.0 / 6, Math.Sqrt(2.0 / 3)],
            [petersen.DeltaR!.Value, petersen.Relative!.Value, petersen.DeltaS!.Value, petersen.MeanBound!.Value, petersen.SpectralGap,
                petersen.WeightedGap,
                petersen.CheegerLower!.Value, petersen.CheegerUpper!.Value],
            Exact, Exact, "Petersen");
        Assert.Equal(1, petersen.Subgraphs); // all degrees are 3

        // In two parts nothing is joined: no gap, a Cheeger constant of 0, and not Ramanujan.
        Expansion parts = Expansion.Compute(Backend, new BipartiteGraph(KnownGraphs.Union(KnownGraphs.Complete(4, 4), KnownGraphs.Complete(4, 4))));
        Close.Equal([0, 0, 0], [parts.SpectralGap, parts.CheegerLower!.Value, parts.WeightedGap], 0, Exact, "two parts");
        Close.Equal((2 * Math.Sqrt(3)) - 4, parts.DeltaR!.Value, Exact, 0);
        Assert.False(parts.IsRamanujan);

        // A complete graph is as good as can be.
        Expansion complete = Expansion.Compute(Backend, new BipartiteGraph(KnownGraphs.Complete(6, 6)));
        Close.Equal([1, 0.5, Math.Sqrt(2)], [complete.Relative!.Value, complete.CheegerLower!.Value, complete.CheegerUpper!.Value], Exact, Exact,
            "complete");
    }

    [SkippableFact]
    public void Graphs_with_too_few_edges_are_not_evaluated_and_empty_nodes_do_not_count()
    {
        Expansion square = Expansion.Compute(Backend, new BipartiteGraph(KnownGraphs.Complete(2, 9)));
        Assert.False(square.IsEvaluated);
        Assert.Null(square.DeltaR);
        Assert.Null(square.IsRamanujan);
        Assert.Null(square.MeanBound);

        Matrix padded = KnownGraphs.Union(KnownGraphs.Complete(5, 4), new Matrix(3, 2));
        BipartiteGraph graph = new(padded);
        Assert.Equal((3, 2, 20L), (graph.EmptyRight, graph.EmptyLeft, graph.Edges));
        Assert.Equal(5, graph.MeanLeftDegree);
        Assert.Equal(4, graph.MeanRightDegree);
        Assert.Equal(20.0 / 48, graph.Density, 1e-12);
        Close.Equal(Math.Sqrt(20), Expansion.Compute(Backend, graph).Sigma1, Exact, 0);

        Expansion none = Expansion.Compute(Backend, new BipartiteGraph(new Matrix(4, 4)));
        Assert.Equal((0.0, 0.0, 0L), (none.Sigma1, none.Sigma2, none.Graph.Edges));
        Assert.Null(none.CheegerLower);
    }

    [SkippableFact]
    public void The_mean_bound_is_that_of_the_subgraphs_of_one_left_degree()
    {
        // Columns: four of degree 3, three of degree 4, two of degree 5 (too few to count).
        Matrix b = new(6, 9);
        for (int j = 0; j < 9; j++)
            for (int i = 0; i < (j < 4 ? 3 : j < 7 ? 4 : 5); i++) b[(i + j) % 6, j] = 1;
        double sum = 0;
        foreach ((int[] columns, int degree) in (ReadOnlySpan<(int[], int)>)[([0, 1, 2, 3], 3), ([4, 5, 6], 4)])
        {
            Matrix part = b.SelectColumns(columns);
            double right = (double)degree * columns.Length / Enumerable.Range(0, 6).Count(i => part.Row(i).ContainsAnyExcept(0));
            sum += Math.Sqrt(degree - 1) + Math.Sqrt(right - 1) - part.Oracle().Svd(computeVectors: false).S[1];
        }

        Expansion expansion = Expansion.Compute(Backend, new BipartiteGraph(b));
        Assert.Equal(2, expansion.Subgraphs);
        Close.Equal(sum / 2, expansion.MeanBound!.Value, Exact, 0);
    }

    [SkippableFact]
    public void All_singular_values_are_those_of_the_oracle()
    {
        Matrix b = UniformMask.Draw(9, 13, 60, seed: 3);
        Close.Equal([.. b.Oracle().Svd(computeVectors: false).S], GraphSpectrum.All(Backend, b), 1e-6, 1e-6, "singular values");
    }

    private void Check(Matrix b, double first, double second)
    {
        (double one, double two) = GraphSpectrum.LargestTwo(Backend, b);
        Close.Equal([first, second], [one, two], Exact, Exact, $"{b}");
    }
}
