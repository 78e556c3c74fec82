using GpuSpectralRnn.Reports;

namespace GpuSpectralRnn.Tests.Reports;

public class AxisScaleTests
{
    private static readonly Axis Linear = new("x"), Logarithmic = new("x", IsLogarithmic: true);

    [Theory]
    [InlineData(0, 97.3, "0,20,40,60,80,100")]
    [InlineData(0.91, 0.978, "0.90,0.92,0.94,0.96,0.98")]
    [InlineData(1, 128, "0,25,50,75,100,125,150")]
    [InlineData(-3, 3, "−3,−2,−1,0,1,2,3")]
    [InlineData(0, 1.1, "0,0.2,0.4,0.6,0.8,1.0,1.2")]
    [InlineData(5, 5, "4.4,4.6,4.8,5.0,5.2,5.4,5.6")]
    [InlineData(0, 0, "−1.0,−0.5,0,0.5,1.0")]
    [InlineData(0, 4.2e7, "0,1e7,2e7,3e7,4e7,5e7")]
    public void Rounded_linear_axes_have_round_ticks_that_enclose_the_values(double least, double largest, string labels)
    {
        AxisScale scale = AxisScale.Create(Linear, [least, largest], 7, isRounded: true);

        Assert.Equal(labels, string.Join(',', scale.Ticks.Select(tick => tick.Label)));
        Assert.InRange(least, scale.Least, scale.Largest);
        Assert.InRange(largest, scale.Least, scale.Largest);
    }

    [Fact]
    public void Tight_axes_begin_and_end_with_the_values_and_keep_their_ticks_inside()
    {
        AxisScale scale = AxisScale.Create(Linear, [1, 128], 9, isRounded: false);

        Assert.Equal((1, 128), (scale.Least, scale.Largest));
        Assert.Equal("20,40,60,80,100,120", string.Join(',', scale.Ticks.Select(tick => tick.Label)));
    }

    [Theory]
    [InlineData(1e-8, 3, 7, "10⁻⁸,10⁻⁶,10⁻⁴,10⁻²,10⁰")]
    [InlineData(0.02, 40, 7, "0.01,0.1,1,10,100")]
    [InlineData(2, 8, 7, "1,2,3,5,10")]
    [InlineData(3e-12, 3e-12, 7, "10⁻¹²,2·10⁻¹²,3·10⁻¹²,5·10⁻¹²,10⁻¹¹")]
    public void Logarithmic_axes_have_powers_of_ten(double least, double largest, int ticks, string labels)
    {
        AxisScale scale = AxisScale.Create(Logarithmic, [least, largest], ticks, isRounded: true);

        Assert.Equal(labels, string.Join(',', scale.Ticks.Select(tick => tick.Label)));
        Assert.InRange(least, scale.Least, scale.Largest);
        Assert.InRange(largest, scale.Least, scale.Largest);
    }

    [Fact]
    public void A_decade_is_as_long_as_another()
    {
        AxisScale scale = AxisScale.Create(Logarithmic, [1e-3, 1], 7, isRounded: true);

        // 1e-12: rounding of logarithms
        Assert.Equal(1.0 / 3, scale.Place(0.01), 1e-12);
        Assert.Equal(1, scale.Place(1), 1e-12);
    }

    [Fact]
    public void What_cannot_be_shown_is_passed_over()
    {
        AxisScale scale = AxisScale.Create(Logarithmic, [0, -1, double.NaN, double.PositiveInfinity, 2, 70], 7, isRounded: true);

        Assert.Equal((1, 100), (scale.Least, scale.Largest));
        Assert.Equal((0, 1), (AxisScale.Create(Linear, [], 7, isRounded: true).Least, AxisScale.Create(Linear, [], 7, isRounded: true).Largest));
    }

    [Fact]
    public void Never_more_ticks_than_wanted()
    {
        Random random = new(1);
        for (int i = 0; i < 2000; i++)
        {
            double a = Math.Pow(10, 12 * random.NextDouble() - 6) * (random.NextDouble() - 0.3), b = a + Math.Pow(10, 12 * random.NextDouble() - 6);
            foreach (bool isRounded in (bool[])[true, false])
            {
                AxisScale scale = AxisScale.Create(Linear, [a, b], 7, isRounded);
                Assert.InRange(scale.Ticks.Count, 1, 7);
                Assert.All(scale.Ticks, tick => Assert.InRange(scale.Place(tick.Value), -1e-6, 1 + 1e-6));
            }
        }
    }
}
