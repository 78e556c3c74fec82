namespace GpuSpectralRnn.Mpi.Tests;

/// <summary>Naps between two looks.</summary>
public class PatienceTests
{
    [Theory]
    [InlineData(0, 10)]
    [InlineData(100, 25)]
    [InlineData(4_000, 1000)]
    [InlineData(400_000, 1000)]
    [InlineData(2_000_000, 5000)]
    [InlineData(60_000_000, 10_000)]
    public void GrowWithTheWait(double waited, double nap) => Assert.Equal(nap, Patience.Nap(waited));
}
