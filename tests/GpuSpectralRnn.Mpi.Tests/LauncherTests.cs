namespace GpuSpectralRnn.Mpi.Tests;

/// <summary>Launchers by the variables that they leave.</summary>
public class LauncherTests
{
    [Fact]
    public void OpenMpi()
    {
        Launcher? launcher = Of(
            "OMPI_COMM_WORLD_SIZE=8", "OMPI_COMM_WORLD_RANK=5", "OMPI_COMM_WORLD_LOCAL_SIZE=4", "OMPI_COMM_WORLD_LOCAL_RANK=1", "PMIX_RANK=5");

        Assert.Equal(new Launcher(MpiFlavour.OpenMpi, 5, 8, 1, 4), launcher);
    }

    [Fact]
    public void Mpich() =>
        Assert.Equal(
            new Launcher(MpiFlavour.Mpich, 2, 3, 0, 1), Of("PMI_RANK=2", "PMI_SIZE=3", "PMI_FD=8", "MPI_LOCALRANKID=0", "MPI_LOCALNRANKS=1"));

    [Fact]
    public void MpichByItsConnectionAlone() => Assert.Equal(new Launcher(MpiFlavour.Mpich, 0, null, null, null), Of("PMI_FD=8"));

    [Fact]
    public void SlurmWithPmix() =>
        Assert.Equal(
            new Launcher(MpiFlavour.OpenMpi, 3, 4, 1, null), Of("PMIX_RANK=3", "SLURM_STEP_NUM_TASKS=4", "SLURM_LOCALID=1", "SLURM_PROCID=3"));

    [Fact]
    public void OpenMpiInsideAProcessOfMpich() => Assert.Equal(MpiFlavour.OpenMpi, Of("OMPI_COMM_WORLD_SIZE=2", "PMI_RANK=0", "PMI_SIZE=1")?.Flavour);

    [Theory]
    [InlineData("PATH=/usr/bin")]
    [InlineData("SLURM_NTASKS=8")]
    [InlineData("OMPI_COMM_WORLD_SIZE=many")]
    [InlineData("OMPI_COMM_WORLD_SIZE=")]
    [InlineData("OMPI_MCA_btl=tcp")]
    public void None(string variable) => Assert.Null(Of(variable));

    [Fact]
    public void NobodyStartedTheTests() => Assert.Null(Launcher.Current);

    private static Launcher? Of(params string[] variables) =>
        Launcher.Of(variables.Select(variable => variable.Split('=')).ToDictionary(parts => parts[0], parts => parts[1]));
}
