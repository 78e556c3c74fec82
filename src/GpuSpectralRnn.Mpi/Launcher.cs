using System.Collections;
using System.Globalization;

namespace GpuSpectralRnn.Mpi;

/// <summary>
/// The <c>mpirun</c> (or <c>mpiexec</c>, <c>srun</c>) that started this process, as its environment variables tell, before any library is loaded.
/// </summary>
/// <param name="Flavour">Whose launcher it is.</param>
/// <param name="Rank">The number of this process, from 0.</param>
/// <param name="Size">Processes that it started; null where it does not say.</param>
/// <param name="LocalRank">The number of this process among those on its machine; null where it does not say.</param>
/// <param name="LocalSize">Processes on this machine; null where it does not say.</param>
public sealed record Launcher(MpiFlavour Flavour, int Rank, int? Size, int? LocalRank, int? LocalSize)
{
    /// <summary>The one that started this process; null: none did.</summary>
    public static Launcher? Current
    {
        get
        {
            IEnumerable<DictionaryEntry> variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>();
            return Of(variables.ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? ""));
        }
    }

    /// <summary>The one that left these variables.</summary>
    /// <param name="environment">Environment variables by name.</param>
    /// <returns>Null: none did.</returns>
    public static Launcher? Of(IReadOnlyDictionary<string, string> environment)
    {
        // Open MPI's also speaks PMIx, and may have been started by a process of MPICH's or the other way: the more particular names first.
        if (Number("OMPI_COMM_WORLD_SIZE") is { } size)
            return Make(MpiFlavour.OpenMpi, Number("OMPI_COMM_WORLD_RANK"), size, "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE");
        if ((Number("PMI_RANK") ?? Number("PMI_FD")) is not null)
            return Make(MpiFlavour.Mpich, Number("PMI_RANK"), Number("PMI_SIZE"), "MPI_LOCALRANKID", "MPI_LOCALNRANKS");
        if (Number("PMIX_RANK") is { } member)
            return Make(MpiFlavour.OpenMpi, member, Number("SLURM_STEP_NUM_TASKS"), "SLURM_LOCALID", localSize: null);
        return null;

        Launcher Make(MpiFlavour flavour, int? rank, int? size, string localRank, string? localSize) =>
            new(flavour, rank ?? 0, size, Number(localRank), localSize is null ? null : Number(localSize));

        int? Number(string name) =>
            int.TryParse(environment.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
    }
}
