using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>The best span against all spans.</summary>
public class SpanAnswersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(61)]
    public void The_best_span_is_the_best_of_all(int steps)
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            float[] start = Numbers.Normal(steps, seed, 3), end = Numbers.Normal(steps, 100 + seed, 3);
            double[] p = Softmax(start), q = Softmax(end);
            (int I, int J) best = (
                from i in Enumerable.Range(0, steps)
                from j in Enumerable.Range(i, Math.Min(steps - i, SpanAnswers.MostFurtherWords + 1))
                orderby p[i] * q[j] descending
                select (i, j)).First();

            SpanAnswer answer = SpanAnswers.Best(start, end);

            Assert.Equal(best, (answer.First, answer.Last));
            Close.Equal(Math.Log(p[best.I] * q[best.J]), answer.LogProbability, 1e-9, 1e-9); // doubles on both sides
        }
    }

    [Fact]
    public void Of_equals_it_is_the_first_and_the_end_is_never_before_the_start()
    {
        Assert.Equal((0, 0), (SpanAnswers.Best([1, 1], [2, 2]).First, SpanAnswers.Best([1, 1], [2, 2]).Last));
        SpanAnswer answer = SpanAnswers.Best([0, 0, 9], [9, 0, 0]);
        Assert.True(answer.First <= answer.Last);
    }

    private static double[] Softmax(float[] x)
    {
        double sum = x.Sum(value => Math.Exp(value));
        return [.. x.Select(value => Math.Exp(value) / sum)];
    }
}
