using System.Runtime.ExceptionServices;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// Parts that run in parallel, phase after phase: no part of a phase starts before all of the phase before have returned. A thread comes back to the
/// part it had in the phase before, so that its cache still holds what the part reads; a part whose thread is late, or never comes, is taken by another.
/// </summary>
internal sealed class PhasedJob(int phases, int parts, Action<int, int> part) : IJob
{
    // Claims stand a cache line apart.
    private const int Apart = 16;

    // Looks at the counter before the thread offers its core to others: a phase of a small layer takes some microseconds.
    private const int Patience = 256;

    private readonly int[] claimed = new int[parts * Apart]; // the next phase of each part that nobody has taken
    private readonly long all = (long)phases * parts;
    private long done;
    private int joined;
    private volatile ExceptionDispatchInfo? failure;

    /// <inheritdoc/>
    public void Work()
    {
        int own = (Interlocked.Increment(ref joined) - 1) % parts;
        for (int phase = (int)(Volatile.Read(ref done) / parts); phase < phases; phase++)
        {
            for (int i = 0; i < parts; i++) Take(phase, own + i < parts ? own + i : own + i - parts);
            Await((phase + 1L) * parts);
        }
    }

    /// <inheritdoc/>
    public void Wait()
    {
        Await(all);
        failure?.Throw();
    }

    private void Take(int phase, int number)
    {
        ref int next = ref claimed[number * Apart];
        if (Volatile.Read(ref next) != phase || Interlocked.CompareExchange(ref next, phase + 1, phase) != phase) return;
        try
        {
            if (failure is null) part(phase, number);
        }
        catch (Exception thrown)
        {
            failure = ExceptionDispatchInfo.Capture(thrown);
        }

        Interlocked.Increment(ref done);
    }

    private void Await(long count)
    {
        for (int i = 0; i < Patience; i++)
        {
            if (Volatile.Read(ref done) >= count) return;
            Thread.SpinWait(1);
        }

        SpinWait spinner = default;
        while (Volatile.Read(ref done) < count) spinner.SpinOnce(sleep1Threshold: -1);
    }
}
