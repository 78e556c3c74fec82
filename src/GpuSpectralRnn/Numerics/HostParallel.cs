using System.Collections.Concurrent;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// Runs parts of an operation in parallel on threads of its own, which start with the first work and spin for a moment after each operation, because
/// the operations of a training step follow each other faster than a sleeping thread wakes. Results do not depend on how work is split.
/// </summary>
internal sealed class HostParallel : IDisposable
{
    // Elements or multiply-adds below which a second thread does not pay.
    private const long Grain = 1 << 15;

    private static readonly ConcurrentDictionary<int, HostParallel> Crews = [];
    private static readonly AsyncLocal<int> Chosen = new();

    private readonly WorkerPool crew = new();
    private int isStarted;

    /// <summary>A pool of <paramref name="count"/> threads, the caller included.</summary>
    public HostParallel(int count) => Count = count;

    /// <summary>Ends the threads if <see cref="Dispose"/> was not called; they reference the pool, not this object.</summary>
    ~HostParallel() => crew.Stop();

    /// <summary>
    /// The pool for work outside any device: products, eigenvalues and selections in double precision. It has the number of threads set by
    /// <see cref="Share"/> in the caller's execution context, by default one per core.
    /// </summary>
    public static HostParallel Shared =>
        Crews.GetOrAdd(Chosen.Value == 0 ? Environment.ProcessorCount : Chosen.Value, count => new HostParallel(count));

    /// <summary>
    /// Sets the number of threads of <see cref="Shared"/> to <paramref name="count"/> for the caller's execution context and those that it starts;
    /// others keep theirs.
    /// </summary>
    public static void Share(int count) => Chosen.Value = count;

    /// <summary>Number of threads, the caller included.</summary>
    public int Count { get; }

    /// <summary>
    /// Splits 0..length into ranges, as many as <paramref name="work"/> elementary operations justify threads, with all borders but the last at
    /// multiples of <paramref name="unit"/>; calls <paramref name="range"/> with the number, start and end of each, and returns when all are done.
    /// </summary>
    public void Split(long length, long unit, long work, Action<int, long, long> range)
    {
        int parts = Parts(length, unit, work);
        if (parts <= 1) range(0, 0, length);
        else Run(parts, part => range(part, Border(part, parts, unit, length), Border(part + 1, parts, unit, length)));
    }

    /// <summary>The ranges into which <see cref="Split"/> splits.</summary>
    public (long From, long To)[] Ranges(long length, long unit, long work)
    {
        int parts = Parts(length, unit, work);
        return [.. Enumerable.Range(0, parts).Select(part => (Border(part, parts, unit, length), Border(part + 1, parts, unit, length)))];
    }

    /// <summary>
    /// Calls <paramref name="part"/> with 0..parts-1 and returns when all are done. Each thread takes the next part as it becomes free. Several
    /// callers may share the pool.
    /// </summary>
    public void Run(int parts, Action<int> part)
    {
        if (parts > 1 && Count > 1) Crew().Run(parts, part);
        else for (int i = 0; i < parts; i++) part(i);
    }

    /// <summary>
    /// Calls <paramref name="part"/> with 0..phases-1 and 0..parts-1: the parts of one phase in parallel, the next phase when all have returned.
    /// </summary>
    public void RunPhases(int phases, int parts, Action<int, int> part)
    {
        if (parts > 1 && Count > 1) Crew().Run(phases, parts, part);
        else for (int phase = 0; phase < phases; phase++)
            for (int i = 0; i < parts; i++) part(phase, i);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        crew.Stop();
        GC.SuppressFinalize(this);
    }

    private WorkerPool Crew()
    {
        if (Interlocked.Exchange(ref isStarted, 1) == 0) crew.Start(Count - 1);
        return crew;
    }

    private int Parts(long length, long unit, long work) => (int)Math.Min(Math.Min(Count, Units(length, unit)), Math.Max(1, work / Grain));

    private static long Border(int part, int parts, long unit, long length) => Math.Min(length, Units(length, unit) * part / parts * unit);

    private static long Units(long length, long unit) => (length + unit - 1) / unit;
}
