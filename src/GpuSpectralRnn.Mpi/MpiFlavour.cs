namespace GpuSpectralRnn.Mpi;

/// <summary>The two families of MPI libraries, whose binary interfaces differ; a process with one cannot join by the other's <c>mpirun</c>.</summary>
public enum MpiFlavour
{
    /// <summary>Open MPI and what is made of it: handles are addresses of objects in the library.</summary>
    OpenMpi,

    /// <summary>MPICH and those of its interface (Intel MPI, MVAPICH, Cray MPICH): handles are numbers.</summary>
    Mpich,
}

/// <summary>What is said of a flavour.</summary>
internal static class MpiFlavours
{
    /// <summary>As its makers write it.</summary>
    public static string Name(this MpiFlavour flavour) => flavour == MpiFlavour.OpenMpi ? "Open MPI" : "MPICH";

    /// <summary>Its libraries on Linux, the most likely first.</summary>
    public static IReadOnlyList<string> Libraries(this MpiFlavour flavour) =>
        flavour == MpiFlavour.OpenMpi ? ["libmpi.so.40"] : ["libmpich.so.12", "libmpi.so.12"];

    /// <summary>Debian 12's package of the library.</summary>
    public static string Package(this MpiFlavour flavour) => flavour == MpiFlavour.OpenMpi ? "libopenmpi3" : "libmpich12";
}
