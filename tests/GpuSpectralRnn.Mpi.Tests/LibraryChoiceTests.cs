namespace GpuSpectralRnn.Mpi.Tests;

/// <summary>Which library is loaded, and what is said where there is none.</summary>
public class LibraryChoiceTests
{
    private static readonly Launcher OpenMpi = new(MpiFlavour.OpenMpi, 0, 2, 0, 2), Mpich = new(MpiFlavour.Mpich, 0, 2, 0, 2);

    [Fact]
    public void TheCallersComesFirst() => Assert.Equal(["/opt/mpi/libmpi.so"], LibraryChoice.Of("/opt/mpi/libmpi.so", "libmpi.so.40", Mpich).Names);

    [Fact]
    public void ThenTheVariables() => Assert.Equal(["libmpi.so.40"], LibraryChoice.Of(null, "libmpi.so.40", Mpich).Names);

    [Fact]
    public void ThenTheLaunchers()
    {
        Assert.Equal(["libmpi.so.40"], LibraryChoice.Of(null, null, OpenMpi).Names);
        Assert.Equal(["libmpich.so.12", "libmpi.so.12"], LibraryChoice.Of("", "", Mpich).Names);
    }

    [Fact]
    public void ThenAny() => Assert.Equal(["libmpi.so.40", "libmpich.so.12", "libmpi.so.12"], LibraryChoice.Of(null, null, null).Names);

    [SkippableFact]
    public void NoLibraryOfTheName()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Linux only");
        LibraryChoice choice = new(["libnothing.so.1", "/no/libmpi.so"], "named by nobody", "mpi");
        InvalidCallException e = Assert.Throws<InvalidCallException>(choice.Load);

        Assert.StartsWith("MPI: no library (named by nobody); tried libnothing.so.1: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("; /no/libmpi.so: ", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("Install the package mpi (Debian 12's name) or name one by `library` or GSRNN_MPI.", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData(true, false, "libopenmpi3")]
    [InlineData(false, true, "libmpich12")]
    [InlineData(false, false, "libopenmpi3 or libmpich12")]
    public void ThePackageIsTheLaunchers(bool isOpenMpi, bool isMpich, string package) =>
        Assert.Equal(package, LibraryChoice.Of("libnothing.so.1", null, isOpenMpi ? OpenMpi : isMpich ? Mpich : null).Packages);

    [SkippableFact]
    public void ALibraryThatIsNoMpi()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Linux only");
        InvalidCallException e = Assert.Throws<InvalidCallException>(() => MpiReplicas.Start("libc.so.6"));

        Assert.Equal("MPI: libc.so.6 is no MPI library: it has no MPI_Init_thread.", e.Message);
    }
}
