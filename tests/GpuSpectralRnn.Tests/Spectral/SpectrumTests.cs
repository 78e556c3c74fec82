using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public class SpectrumTests
{
    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(7, 0.01)]
    [InlineData(40, 1.0)]
    public void Degrees_of_freedom_and_leverage_equal_their_traces(int units, double lambda)
    {
        Matrix gram = RandomMatrix.Gram(units, 1);
        Spectrum spectrum = Spectrum.Compute(gram);
        var smooth = gram.Oracle() * (gram + lambda * Matrix.Identity(units)).Oracle().Inverse();

        Close.Equal(smooth.Trace(), spectrum.DegreesOfFreedom(lambda), 1e-10, 0, "N");
        Close.Equal([.. smooth.Diagonal().Select(q => q / smooth.Trace())], spectrum.Leverage(lambda), 1e-9, 0, "q");
        Assert.Equal(1, spectrum.Leverage(lambda).Sum(), 1e-12);
        Assert.Equal(gram.Trace(), spectrum.Trace, 1e-12 * gram.Trace());
    }

    [Fact]
    public void Numbers_of_units_follow_from_the_eigenvalues()
    {
        // A diagonal matrix in disguise would do as well: only the eigenvalues 8, 4, 2, 1, 1, 0 count.
        Matrix gram = new(6, 6);
        double[] values = [1, 8, 0, 2, 4, 1];
        for (int i = 0; i < 6; i++) gram[i, i] = values[i];
        Spectrum spectrum = Spectrum.Compute(gram);

        Close.Equal([8, 4, 2, 1, 1, 0], [.. spectrum.Eigenvalues], 1e-14, 0, "eigenvalues");
        Assert.Equal(1, spectrum.UnitsForTrace(0.5));
        Assert.Equal(2, spectrum.UnitsForTrace(0.51));
        Assert.Equal(3, spectrum.UnitsForTrace(0.8749));
        Assert.Equal(5, spectrum.UnitsForTrace(1));
        Assert.Equal(5, spectrum.DegreesOfFreedom(0));
        Assert.Equal(2, spectrum.UnitsForLambda(4)); // 8/12 + 4/8 + 2/6 + 1/5 + 1/5 = 1.9
        Assert.Equal(1, spectrum.UnitsForLambda(1e9));
        foreach (double bad in new[] { 0, -1, 1.01, double.NaN }) Assert.Throws<InvalidCallException>(() => spectrum.UnitsForTrace(bad));
        foreach (double bad in new[] { -1, double.NaN }) Assert.Throws<InvalidCallException>(() => spectrum.DegreesOfFreedom(bad));
    }

    [Fact]
    public void A_dead_layer_has_no_degrees_of_freedom()
    {
        Spectrum spectrum = Spectrum.Compute(new Matrix(4, 4));

        Assert.Equal(0, spectrum.DegreesOfFreedom(0.1));
        Assert.Equal([0.25, 0.25, 0.25, 0.25], spectrum.Leverage(0.1));
        Assert.Equal(1, spectrum.UnitsForTrace(0.99));
    }
}
