namespace GpuSpectralRnn.Numerics;

/// <summary>The memory of matrices that nobody holds any more.</summary>
internal static class MatrixMemory
{
    /// <summary>Managed memory, in bytes, that may lie about before it is worth looking for what is dead.</summary>
    private const long Slack = 64L << 20;

    private static long alive;

    /// <summary>
    /// Gives dead matrices back between steps of a compression. They lie among the large objects, of which the runtime lets several times what lives
    /// gather before it collects: a gigabyte for layers of 1,024 units. Costs nothing while little was made since the last call.
    /// </summary>
    public static void Reclaim()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) - Interlocked.Read(ref alive) < Slack) return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Interlocked.Exchange(ref alive, GC.GetTotalMemory(forceFullCollection: false));
    }
}
