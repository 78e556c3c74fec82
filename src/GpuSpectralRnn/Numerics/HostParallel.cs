using System.Collections.Concurrent;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// Runs parts of an operation side by side on threads of its own, which start with the first work and stay awake for a moment after each: the
/// operations of a training step
/// follow each other faster than a sleeping thread wakes. How work is cut into parts never changes a result's bits.
/// </summary>
internal sealed class HostParallel : IDisposable
{
    // Below this many elements or multiply-adds a second thread costs more than it gives.
    private const long Grain = 1 << 15;

    private static readonly ConcurrentDictionary<int, HostParallel> Crews = [];
    private static readonly AsyncLocal<int> Chosen = new();

    private readonly WorkerPool crew = new();
    private int isStarted;

    /// <summary>A crew of <paramref name="count"/>, the caller among them.</summary>
    public HostParallel(int count) => Count = count;

    /// <summary>Ends the threads of a crew that was forgotten; they hold the crew, not this.</summary>
    ~HostParallel() => crew.Stop();

    /// <summary>
    /// The crew of work that belongs to no device: products, eigenvalues and selections in double precision. Of as many threads as the caller's flow
    /// of control chose (<see cref="Share"/>), one per core where it did not.
    /// </summary>
    public static HostParallel Shared =>
        Crews.GetOrAdd(Chosen.Value == 0 ? Environment.ProcessorCount : Chosen.Value, count => new HostParallel(count));

    /// <summary>Lets the caller's flow of control, and those that it starts, use a crew of <paramref name="count"/>; others keep theirs.</summary>
    public static void Share(int count) => Chosen.Value = count;

    /// <summary>How many run at once.</summary>
    public int Count { get; }

    /// <summary>
    /// Cuts 0..length into as many ranges as threads are worth waking for <paramref name="work"/> elementary operations, all borders but the last
    /// at multiples of
    /// <paramref name="unit"/>, calls <paramref name="range"/> with each one's number, start and end, and returns when all are done.
    /// </summary>
    public void Split(long length, long unit, long work, Action<int, long, long> range)
    {
        long units = (length + unit - 1) / unit;
        int parts = (int)Math.Min(Math.Min(Count, units), Math.Max(1, work / Grain));
        if (parts <= 1)
        {
            range(0, 0, length);
            return;
        }

        Run(parts, part => range(part, Border(part, parts, units, unit, length), Border(part + 1, parts, units, unit, length)));
    }

    /// <summary>
    /// Calls <paramref name="part"/> with 0..parts-1 and returns when all are done. Each thread takes the next part as it gets free. Several callers
    /// may share the crew.
    /// </summary>
    public void Run(int parts, Action<int> part)
    {
        if (parts > 1 && Count > 1)
        {
            if (Interlocked.Exchange(ref isStarted, 1) == 0) crew.Start(Count - 1);
            crew.Run(parts, part);
            return;
        }

        for (int i = 0; i < parts; i++) part(i);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        crew.Stop();
        GC.SuppressFinalize(this);
    }

    private static long Border(int part, int parts, long units, long unit, long length) => Math.Min(length, units * part / parts * unit);
}
