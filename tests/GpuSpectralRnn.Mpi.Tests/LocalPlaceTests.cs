namespace GpuSpectralRnn.Mpi.Tests;

/// <summary>Places on a machine by the machines' names.</summary>
public class LocalPlaceTests
{
    private static readonly string[] Machines = ["a", "b", "a", "a", "c", "b"];

    [Theory]
    [InlineData(0, 0, 3)]
    [InlineData(1, 0, 2)]
    [InlineData(2, 1, 3)]
    [InlineData(3, 2, 3)]
    [InlineData(4, 0, 1)]
    [InlineData(5, 1, 2)]
    public void ByTheMembersBefore(int rank, int localRank, int localSize) =>
        Assert.Equal(new LocalPlace(localRank, localSize), LocalPlace.Of(Machines, rank));
}
