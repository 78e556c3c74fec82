using System.Runtime.ExceptionServices;

namespace GpuSpectralRnn.Numerics;

/// <summary>
/// Parts that run in parallel, phase after phase: no part of a phase starts before all of the phase before have returned. A thread comes back to the
/// part it had in the phase before, so that its cache still holds what the part reads; a part whose thread is late, or never comes, is taken by another.
/// </summary>
internal sealed class PhasedJob(int phases, int parts, Action<int, int> part) : IJob
{
    // Parts' states stand two cache lines apart, since processors fetch pairs of them, and as far from the array's length, which all read.
    private const int Apart = 32;

    // Looks at a part before the thread offers its core to others: a phase of a small layer takes some microseconds.
    private const int Patience = 256;

    // Of each part, 2 p: it waits for phase p; 2 p + 1: a thread has it. One number, so that a look tells whether it is done, or may be taken: between
    // two cores every line that both write takes as long as a hundred multiply-adds.
    private readonly int[] states = new int[(parts + 1) * Apart];
    private int joined;
    private volatile ExceptionDispatchInfo? failure;

    /// <inheritdoc/>
    public void Work()
    {
        int own = (Interlocked.Increment(ref joined) - 1) % parts;
        for (int phase = Volatile.Read(ref State(own)) / 2; ; phase++)
        {
            Complete(phase - 1, own);
            if (phase == phases) return;
            Take(phase, own);
        }
    }

    /// <inheritdoc/>
    public void Wait()
    {
        Complete(phases - 1, 0);
        failure?.Throw();
    }

    private ref int State(int number) => ref states[(number + 1) * Apart];

    // Until all parts have returned from the phase; those that nobody has taken run here.
    private void Complete(int phase, int own)
    {
        for (int i = 1; i <= parts; i++)
        {
            int number = own + i < parts ? own + i : own + i - parts;
            ref int state = ref State(number);
            if (Volatile.Read(ref state) == 2 * phase) Take(phase, number);
            for (int looks = 0; looks < Patience && Volatile.Read(ref state) == 2 * phase + 1; looks++) Thread.SpinWait(1);
            SpinWait spinner = default;
            while (Volatile.Read(ref state) == 2 * phase + 1) spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    private void Take(int phase, int number)
    {
        ref int state = ref State(number);
        if (Interlocked.CompareExchange(ref state, 2 * phase + 1, 2 * phase) != 2 * phase) return;
        try
        {
            if (failure is null) part(phase, number);
        }
        catch (Exception thrown)
        {
            failure = ExceptionDispatchInfo.Capture(thrown);
        }

        Volatile.Write(ref state, 2 * phase + 2);
    }
}
