using System.Text;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Mpi;

/// <summary>A member's place among those on its machine.</summary>
/// <param name="Rank">Its number there, from 0.</param>
/// <param name="Size">Members there.</param>
internal readonly record struct LocalPlace(int Rank, int Size)
{
    private const int LongestName = 256; // of a host; Linux allows 64 bytes

    /// <summary>As the launcher says, otherwise by the names of all members' machines.</summary>
    public static LocalPlace Of(Launcher? launcher, IReplicas replicas)
    {
        if (launcher is { LocalRank: { } localRank, LocalSize: { } localSize }) return new LocalPlace(localRank, localSize);
        byte[] own = new byte[LongestName], all = new byte[LongestName * replicas.Size];
        byte[] name = Encoding.UTF8.GetBytes(Environment.MachineName);
        name.AsSpan(0, Math.Min(name.Length, own.Length)).CopyTo(own);
        replicas.Gather(own, all);
        return Of([.. all.Chunk(LongestName).Select(bytes => Encoding.UTF8.GetString(bytes))], replicas.Rank);
    }

    /// <summary>By the names of all members' machines, in the order of ranks.</summary>
    public static LocalPlace Of(IReadOnlyList<string> machines, int rank) =>
        new(machines.Take(rank).Count(machine => machine == machines[rank]), machines.Count(machine => machine == machines[rank]));
}
