using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Tests.Graphs;

/// <summary>Masks that are made without a look at weights.</summary>
public sealed class MaskTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 5, 0)]
    [InlineData(7, 5, 12)]
    [InlineData(64, 48, 331)]
    [InlineData(12, 96, 1152)]
    public void Masks_have_their_number_of_edges_and_biregular_ones_equal_degrees(int rows, int columns, int edges)
    {
        Assert.Equal(edges, UniformMask.Draw(rows, columns, edges, seed: 2).Data.Sum());
        BipartiteGraph graph = new(BiregularMask.Draw(rows, columns, edges, seed: 2));
        Assert.Equal(edges, graph.Edges);
        foreach (int[] degrees in (int[][])[graph.LeftDegrees, graph.RightDegrees]) Assert.InRange(degrees.Max() - degrees.Min(), 0, 1);
        Assert.Equal(BiregularMask.Draw(rows, columns, edges, seed: 2).Data, BiregularMask.Draw(rows, columns, edges, seed: 2).Data);
        if (edges > 1 && edges < rows * columns) Assert.NotEqual(BiregularMask.Draw(rows, columns, edges, seed: 2).Data,
            BiregularMask.Draw(rows, columns, edges, seed: 3).Data);
    }

    [Fact]
    public void Every_place_is_as_likely_as_any_other()
    {
        Matrix uniform = new(4, 4), biregular = new(4, 4);
        for (ulong seed = 0; seed < 2000; seed++)
        {
            uniform += UniformMask.Draw(4, 4, 8, seed);
            biregular += BiregularMask.Draw(4, 4, 8, seed);
        }

        // Half of 2,000; five deviations of a binomial are 112.
        Assert.All(uniform.Data.Concat(biregular.Data), count => Assert.InRange(count, 888, 1112));
    }

    [Theory]
    [InlineData(64, 64, 0.125)]
    [InlineData(128, 32, 0.25)]
    [InlineData(30, 20, 0.1)]
    public void Lifts_keep_degrees_equal_and_the_density(int rows, int columns, double density)
    {
        BipartiteGraph graph = new(LiftedMask.Draw(rows, columns, EdgeCounts.Of(rows, columns, density), seed: 1));
        Assert.Equal(density, graph.Density, 0.01); // the small graph's edges are rounded
        foreach (int[] degrees in (int[][])[graph.LeftDegrees, graph.RightDegrees]) Assert.InRange(degrees.Max() - degrees.Min(), 0, 1);
    }

    // i.i.d. masks: the relative delta_R at density 0.25, 0.10 and 0.05, as computed once apart from this program.
    [Theory]
    [InlineData(128, 128, 0.14, 0.03, -0.09)]
    [InlineData(512, 128, 0.13, 0.03, -0.03)]
    public void Random_masks_lose_the_bound_by_their_degrees(int rows, int columns, double at25, double at10, double at5)
    {
        foreach ((double density, double expected) in (ReadOnlySpan<(double, double)>)[(0.25, at25), (0.1, at10), (0.05, at5)])
        {
            double mean = Enumerable.Range(0, 5).Average(seed =>
                Relative(UniformMask.Draw(rows, columns, EdgeCounts.Of(rows, columns, density), (ulong)seed)));
            Assert.InRange(mean, expected - 0.03, expected + 0.03); // single masks spread by 0.01 to 0.03
        }
    }

    [Fact]
    public void Masks_of_equal_degrees_keep_the_bound_longer()
    {
        int edges = EdgeCounts.Of(128, 128, 0.05);
        double random = Relative(UniformMask.Draw(128, 128, edges, 1)), regular = Relative(BiregularMask.Draw(128, 128, edges, 1)), lifted =
            Relative(LiftedMask.Draw(128, 128, edges, 1));
        Assert.True(random < -0.02 && regular > -0.02 && lifted > -0.02, $"{random} {regular} {lifted}");
    }

    [Fact]
    public void A_mask_of_blocks_is_the_product_with_a_complete_graph()
    {
        Matrix blocks = BiregularMask.Draw(16, 16, 64, seed: 4);
        BlockExtent block = new(4, 2);
        Matrix mask = block.Spread(blocks, 64, 32);
        (double first, double second) = GraphSpectrum.LargestTwo(host, blocks);
        (double one, double two) = GraphSpectrum.LargestTwo(host, mask);
        Assert.Equal(first * Math.Sqrt(8), one, 1e-6);
        Assert.Equal(second * Math.Sqrt(8), two, 1e-6);
        Assert.Equal([.. blocks.Data.Select(x => 8 * x)], block.Sums(mask).Data);
        Assert.Equal(10 * 7, new BlockExtent(4, 3).Spread(KnownGraphs.Complete(3, 3), 10, 7).Data.Sum()); // cut at the borders
    }

    [Theory]
    [InlineData("8")]
    [InlineData("8x")]
    [InlineData("0x4")]
    [InlineData("8x257")]
    [InlineData("-8x8")]
    [InlineData("8x8x8")]
    public void Extents_of_blocks_are_two_numbers(string text) =>
        Assert.Contains("`block`", Assert.Throws<InvalidCallException>(() => BlockExtent.Parse(text)).Message);

    private double Relative(Matrix mask) => Expansion.Unweighted(host, new BipartiteGraph(mask)).Relative!.Value;
}
