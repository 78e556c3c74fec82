using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace GpuSpectralRnn.Numerics;

/// <summary>A pool of threads that run the numbered parts of a job; the calling thread takes parts too.</summary>
internal sealed class WorkerPool
{
    // Spin time before a thread sleeps, 0.1 ms: longer than the gap between two operations of a training step.
    private static readonly long Patience = Stopwatch.Frequency / 10_000;

    private readonly ManualResetEventSlim wake = new(false, spinCount: 0);
    private volatile IJob? current;
    private volatile bool isStopped;
    private int sleepers;

    /// <summary>Starts <paramref name="count"/> threads, which end with the process or with <see cref="Stop"/>.</summary>
    public void Start(int count)
    {
        for (int i = 0; i < count; i++) new Thread(Serve) { IsBackground = true, Name = "gsrnn host worker" }.Start();
    }

    /// <summary>Signals the threads to end, without waiting for them.</summary>
    public void Stop()
    {
        isStopped = true;
        wake.Set();
    }

    /// <summary>Calls <paramref name="part"/> with 0..parts-1 and returns when all calls have returned; throws what one of them threw.</summary>
    public void Run(int parts, Action<int> part) => Run(new Job(parts, part));

    /// <summary>The same in phases: <paramref name="part"/> is called with 0..phases-1 and 0..parts-1, as <see cref="PhasedJob"/> has it.</summary>
    public void Run(int phases, int parts, Action<int, int> part) => Run(new PhasedJob(phases, parts, part));

    private void Run(IJob job)
    {
        current = job;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref sleepers) > 0) wake.Set();
        job.Work();
        job.Wait();
        wake.Reset();
    }

    private void Serve()
    {
        IJob? last = null;
        long idleSince = Stopwatch.GetTimestamp();
        while (!isStopped)
        {
            IJob? job = current;
            if (job != last)
            {
                job!.Work();
                last = job;
                idleSince = Stopwatch.GetTimestamp();
            }
            else if (Stopwatch.GetTimestamp() - idleSince < Patience)
            {
                Thread.SpinWait(8);
            }
            else
            {
                Interlocked.Increment(ref sleepers);
                if (current == last && !isStopped) wake.Wait();
                Interlocked.Decrement(ref sleepers);
            }
        }
    }

    private sealed class Job(int parts, Action<int> part) : IJob
    {
        private int taken;
        private int done;
        private volatile ExceptionDispatchInfo? failure;

        /// <inheritdoc/>
        public void Work()
        {
            for (int i; (i = Interlocked.Increment(ref taken) - 1) < parts;)
            {
                try
                {
                    part(i);
                }
                catch (Exception thrown)
                {
                    failure = ExceptionDispatchInfo.Capture(thrown);
                }

                Interlocked.Increment(ref done);
            }
        }

        /// <inheritdoc/>
        public void Wait()
        {
            SpinWait spinner = default;
            while (Volatile.Read(ref done) < parts) spinner.SpinOnce(sleep1Threshold: -1);
            failure?.Throw();
        }
    }
}
