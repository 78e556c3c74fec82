using Xunit;
using Xunit.Sdk;

namespace GpuSpectralRnn.Tests.Support;

public class CloseTests
{
    [Theory]
    [InlineData(1.0, 1.0, 0, 0)]
    [InlineData(100, 101, 0.01, 0)] // exactly at rtol |reference|
    [InlineData(0, 0.5, 0, 0.5)] // exactly at atol
    [InlineData(-100, -101.5, 0.01, 0.5)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity, 0, 0)]
    public void Accepts(double reference, double value, double rtol, double atol) => Close.Equal(reference, value, rtol, atol);

    [Theory]
    [InlineData(100, 101.01, 0.01, 0)]
    [InlineData(101.01, 100, 0.0099, 0)]
    [InlineData(0, 0.51, 1, 0.5)] // rtol gives nothing at a reference of zero
    [InlineData(double.NaN, double.NaN, 1, 1)]
    [InlineData(1, double.NaN, 1, 1)]
    [InlineData(double.NaN, 1, 1, 1)]
    [InlineData(double.PositiveInfinity, 1, 1, 1)]
    [InlineData(double.PositiveInfinity, double.NegativeInfinity, 1, 1)]
    [InlineData(1, double.PositiveInfinity, 1, 1)]
    public void Refuses(double reference, double value, double rtol, double atol) =>
        Assert.Throws<XunitException>(() => Close.Equal(reference, value, rtol, atol));

    [Fact]
    public void Refuses_other_lengths() => Assert.Throws<XunitException>(() => Close.Equal(new double[3], new double[2], 1, 1));

    [Fact]
    public void Names_the_first_and_the_worst_element_by_their_indices()
    {
        double[] reference = new double[6];
        double[] value = [0, 0, 0.2, 0, 0, 3];
        string message = Assert.Throws<XunitException>(() => Close.Equal(reference, value, 0, 0.1, "gates", 2, 3)).Message;
        Assert.Contains("gates: 2 of 6", message);
        Assert.Contains("\n  [0, 2] 0.2, reference 0", message);
        Assert.Contains("worst [1, 2] 3, reference 0, difference 3", message);
    }
}
