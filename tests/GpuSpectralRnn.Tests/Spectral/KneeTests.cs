using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

/// <summary>The knee of a curve, and the bound by rank.</summary>
public class KneeTests
{
    [Fact]
    public void The_knee_lies_farthest_below_the_chord()
    {
        Assert.Equal(1, Knee.Find([(1, 8), (2, 2), (3, 1), (8, 0)]));
        Assert.Equal(2, Knee.Find([(1, 8), (2, 7), (3, 1), (8, 0)]));
        Assert.Equal(2, Knee.Find([(1, 8), (2, 6), (3, 4)])); // a straight line has none
        Assert.Equal(3, Knee.Find([(1, 1), (2, 5), (3, 4), (4, 0)]));
        Assert.Equal(1, Knee.Find([(10, 8e-9), (20, 2e-9), (30, 1e-9), (80, 0)])); // whatever the scales
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(13)]
    public void No_units_come_below_the_rank_bound(int size)
    {
        Matrix gram = RandomMatrix.Gram(size, 1), criterion = RandomMatrix.Gram(size, 2);
        double[] bound = Spectrum.Compute(gram).RankBound(criterion);

        Assert.Equal(size + 1, bound.Length);
        Assert.Equal(0, bound[size]);
        Close.Equal([Matrix.Inner(criterion, gram)], [bound[0]], 1e-10, 0, "Tr G S");
        SelectionProblem problem = new(gram, Ridge.Uniform(gram, 1e-12), criterion);
        foreach (LossPoint point in new BackwardSelector().Select(problem, 1).Path)
            Assert.True(point.Loss >= bound[point.Kept] * (1 - 1e-8), $"k = {point.Kept}: {point.Loss} below {bound[point.Kept]}");
        for (int k = 1; k <= size; k++) Assert.True(bound[k] <= bound[k - 1]);
    }
}
