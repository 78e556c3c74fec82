using Xunit;

namespace GpuSpectralRnn.Kernels.Tests;

/// <summary>The elementary functions of the kernels against double precision, over dense grids of their ranges.</summary>
public class ElementaryTests
{
    // A float has 24 bits: half a unit in the last place is at most 6e-8 of the value. Three units: the polynomial's roundings, the scaling's, the
    // reduction's.
    private const double ThreeUnits = 3.6e-7;

    [Fact]
    public void Exp_is_right_over_its_whole_range() => Check(x => Elementary.Exp(x), Math.Exp, Grid(-87.2, 88.7, 200_003), ThreeUnits, 0);

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(-88f, 0f)]
    [InlineData(-1e30f, 0f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(89f, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Exp_at_its_ends(float x, float expected) => Assert.Equal(expected, Elementary.Exp(x));

    [Fact]
    public void Log_is_right_from_the_smallest_to_the_largest_number()
    {
        Check(x => Elementary.Log(x), x => Math.Log(x), Grid(-87, 88, 200_003).Select(x => (float)Math.Exp(x)), ThreeUnits, 0);
        Check(x => Elementary.Log(x), x => Math.Log(x), Grid(0.4, 2.2, 200_003), ThreeUnits, 0); // nothing cancels around 1
    }

    [Theory]
    [InlineData(1f, 0f)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Log_at_its_ends(float x, float expected) => Assert.Equal(expected, Elementary.Log(x));

    [Fact]
    public void Log_of_the_numbers_next_to_one_keeps_its_digits()
    {
        Check(x => Elementary.Log(x), x => Math.Log(x), [MathF.BitDecrement(1), MathF.BitIncrement(1), 1 - 1e-6f, 1 + 1e-6f], ThreeUnits, 0);
    }

    [Fact]
    public void Tanh_is_right_everywhere()
    {
        Check(x => Elementary.Tanh(x), Math.Tanh, Grid(-12, 12, 200_003), ThreeUnits, 0);
        Check(x => Elementary.Tanh(x), Math.Tanh, [1e-30f, -1e-7f, 0.59999f, 0.6f, -0.60001f, 1e-3f], ThreeUnits, 0);
    }

    [Theory]
    [InlineData(0f, 0f)]
    [InlineData(100f, 1f)]
    [InlineData(float.NegativeInfinity, -1f)]
    [InlineData(float.NaN, float.NaN)]
    public void Tanh_at_its_ends(float x, float expected) => Assert.Equal(expected, Elementary.Tanh(x));

    // For x far below zero it is e^x, with that function's error, and two roundings more.
    [Fact]
    public void Sigmoid_is_right_everywhere() =>
        Check(x => Elementary.Sigmoid(x), x => 1 / (1 + Math.Exp(-x)), Grid(-87, 40, 200_003), ThreeUnits + 1.2e-7, 0);

    [Theory]
    [InlineData(0f, 0.5f)]
    [InlineData(100f, 1f)]
    [InlineData(float.PositiveInfinity, 1f)]
    [InlineData(-100f, 0f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(float.NaN, float.NaN)]
    public void Sigmoid_at_its_ends(float x, float expected) => Assert.Equal(expected, Elementary.Sigmoid(x));

    // Near its zeros a cosine of a rounded angle has no relative accuracy; absolutely it has a unit of 1.
    [Fact]
    public void Cosine_of_a_turn_is_right() =>
        Check(x => Elementary.CosOfTurn(x), x => Math.Cos(2 * Math.PI * x), Grid(0, 1 - 1e-7, 200_003), 0, 1.2e-7);

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(0.25f, 0f)]
    [InlineData(0.5f, -1f)]
    [InlineData(0.75f, 0f)]
    public void Quarter_turns_are_exact(float turn, float expected) => Assert.Equal(expected, Elementary.CosOfTurn(turn));

    [Theory]
    [InlineData(0f, true)]
    [InlineData(float.MaxValue, true)]
    [InlineData(float.Epsilon, true)]
    [InlineData(float.NaN, false)]
    [InlineData(float.PositiveInfinity, false)]
    [InlineData(float.NegativeInfinity, false)]
    public void Finite_numbers_are_told_from_others(float x, bool expected) => Assert.Equal(expected, Elementary.IsFinite(x));

    private static IEnumerable<float> Grid(double from, double to, int points) =>
        Enumerable.Range(0, points).Select(i => (float)(from + (to - from) * i / (points - 1)));

    private static void Check(Func<float, float> function, Func<double, double> reference, IEnumerable<float> points, double rtol, double atol)
    {
        (float Point, double Excess) worst = (0, double.NegativeInfinity);
        foreach (float x in points)
        {
            double expected = reference(x);
            double excess = Math.Abs(function(x) - expected) - (atol + rtol * Math.Abs(expected));
            if (!(excess <= worst.Excess)) worst = (x, excess);
        }

        Assert.True(worst.Excess <= 0, $"at {worst.Point:g9}: {function(worst.Point):g9}, reference {reference(worst.Point):g17}");
    }
}
