namespace GpuSpectralRnn.Compute.Host;

/// <summary>Runs parts of an operation side by side. How work is cut into parts never changes a result's bits.</summary>
internal sealed class HostThreads(int count)
{
    // Below this many elements or multiply-adds waking a second thread costs more than it gives.
    private const long Grain = 1 << 15;

    private readonly ParallelOptions options = new() { MaxDegreeOfParallelism = count };

    /// <summary>How many run at once.</summary>
    public int Count { get; } = count;

    /// <summary>Calls <paramref name="part"/> with 0..parts-1, and returns when all are done.</summary>
    public void Run(int parts, Action<int> part)
    {
        if (parts > 1 && Count > 1)
        {
            Parallel.For(0, parts, options, part);
            return;
        }

        for (int i = 0; i < parts; i++) part(i);
    }

    /// <summary>
    /// Cuts 0..length into as many ranges as threads are worth waking for <paramref name="work"/> elementary operations, all borders but the last at multiples of
    /// <paramref name="unit"/>, and calls <paramref name="range"/> with each one's number, start and end.
    /// </summary>
    public void Split(long length, long unit, long work, Action<int, long, long> range)
    {
        long units = (length + unit - 1) / unit;
        int parts = (int)Math.Min(Math.Min(Count, units), Math.Max(1, work / Grain));
        if (parts <= 1) range(0, 0, length);
        else Run(parts, part => range(part, Border(part, parts, units, unit, length), Border(part + 1, parts, units, unit, length)));
    }

    private static long Border(int part, int parts, long units, long unit, long length) => Math.Min(length, units * part / parts * unit);
}
