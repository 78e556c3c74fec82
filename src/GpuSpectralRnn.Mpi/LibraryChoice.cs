namespace GpuSpectralRnn.Mpi;

/// <summary>Which MPI library is loaded: the one asked for, else the variable's, else the launcher's, else any.</summary>
/// <param name="Names">File names or paths, tried in this order.</param>
/// <param name="Reason">Who named them.</param>
/// <param name="Packages">Debian 12's packages that hold them.</param>
internal sealed record LibraryChoice(IReadOnlyList<string> Names, string Reason, string Packages)
{
    /// <summary>The variable that names a library.</summary>
    public const string Variable = "GSRNN_MPI";

    private const string AllPackages = "libopenmpi3 or libmpich12";

    /// <summary>Chooses.</summary>
    /// <param name="asked">The caller's; null or empty: none.</param>
    /// <param name="variable">Value of <see cref="Variable"/>; null or empty: none.</param>
    /// <param name="launcher">Who started this process, if anyone did.</param>
    public static LibraryChoice Of(string? asked, string? variable, Launcher? launcher)
    {
        string packages = launcher is null ? AllPackages : launcher.Flavour.Package();
        if (!string.IsNullOrEmpty(asked)) return new LibraryChoice([asked], "named by the call", packages);
        if (!string.IsNullOrEmpty(variable)) return new LibraryChoice([variable], $"named by {Variable}", packages);
        if (launcher is not null) return new LibraryChoice(launcher.Flavour.Libraries(), $"{launcher.Flavour.Name()} started this process", packages);
        string[] all = [.. MpiFlavour.OpenMpi.Libraries(), .. MpiFlavour.Mpich.Libraries()];
        return new LibraryChoice(all, "no mpirun started this process", packages);
    }

    /// <summary>Loads the first of the libraries that is there.</summary>
    /// <exception cref="InvalidCallException">None is; the message says what was tried and why it failed.</exception>
    public MpiLibrary Load()
    {
        if (!OperatingSystem.IsLinux()) throw new InvalidCallException("MPI: many machines work together on Linux only.");
        List<string> errors = [];
        foreach (string name in Names)
        {
            if (SharedObject.Open(name, out string error) is { } library) return new MpiLibrary(library);
            errors.Add(error);
        }

        throw new InvalidCallException(
            $"MPI: no library ({Reason}); tried {string.Join("; ", errors)}. "
            + $"Install the package {Packages} (Debian 12's name) or name one by `library` or {Variable}.");
    }
}
