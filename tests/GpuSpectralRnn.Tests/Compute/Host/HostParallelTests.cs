using GpuSpectralRnn.Numerics;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Host;

public class HostParallelTests
{
    private const long Plenty = 1L << 40;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 7, 4)]
    [InlineData(3, 100, 8)]
    [InlineData(5, 3, 1)]
    [InlineData(4, 1000, 7)]
    public void Ranges_cover_everything_once_and_start_at_units(int count, int length, int unit)
    {
        using HostParallel threads = new(count);
        for (int repeat = 0; repeat < 200; repeat++)
        {
            int[] calls = new int[length];
            int[] parts = new int[count];
            threads.Split(length, unit, Plenty, (part, from, to) =>
            {
                Interlocked.Increment(ref parts[part]);
                Assert.Equal(0, from % unit);
                for (long i = from; i < to; i++) Interlocked.Increment(ref calls[i]);
            });
            Assert.All(calls, x => Assert.Equal(1, x));
            Assert.All(parts, x => Assert.InRange(x, 0, 1));
        }
    }

    [Fact]
    public void Sleeping_threads_wake()
    {
        using HostParallel threads = new(3);
        for (int repeat = 0; repeat < 20; repeat++)
        {
            int sum = 0;
            threads.Split(3, 1, Plenty, (part, from, to) => Interlocked.Add(ref sum, part + 1));
            Assert.Equal(6, sum);
            Thread.Sleep(repeat % 3);
        }
    }

    [Fact]
    public void Parts_run_side_by_side()
    {
        using HostParallel threads = new(2);
        using Barrier barrier = new(2);
        bool met = true;
        threads.Split(2, 1, Plenty, (_, _, _) => met &= barrier.SignalAndWait(TimeSpan.FromSeconds(60)));
        Assert.True(met);
    }

    [Fact]
    public void A_failure_reaches_the_caller_and_the_crew_goes_on()
    {
        using HostParallel threads = new(3);
        for (int repeat = 0; repeat < 10; repeat++)
        {
            Assert.Throws<InvalidCallException>(() => threads.Split(3, 1, Plenty, (part, _, _) =>
            {
                if (part == 2) throw new InvalidCallException("as asked");
            }));
        }

        int calls = 0;
        threads.Split(3, 1, Plenty, (_, _, _) => Interlocked.Increment(ref calls));
        Assert.Equal(3, calls);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 2)]
    [InlineData(3, 5)]
    [InlineData(4, 3)]
    public void Phases_follow_each_other_and_have_every_part_once(int count, int parts)
    {
        using HostParallel threads = new(count);
        for (int repeat = 0; repeat < 50; repeat++)
        {
            const int Phases = 40;
            int[] done = new int[Phases];
            bool isInOrder = true;
            threads.RunPhases(Phases, parts, (phase, part) =>
            {
                if (phase > 0) isInOrder &= Volatile.Read(ref done[phase - 1]) == parts;
                Interlocked.Increment(ref done[phase]);
                if ((phase + part) % 7 == 0) Thread.Yield();
            });
            Assert.True(isInOrder);
            Assert.All(done, x => Assert.Equal(parts, x));
        }
    }

    [Fact]
    public void A_failure_in_a_phase_reaches_the_caller_and_the_crew_goes_on()
    {
        using HostParallel threads = new(3);
        int later = 0;
        Assert.Throws<InvalidCallException>(() => threads.RunPhases(9, 3, (phase, part) =>
        {
            if (phase == 4 && part == 1) throw new InvalidCallException("as asked");
            if (phase > 4) Interlocked.Increment(ref later);
        }));
        Assert.Equal(0, later);
        int calls = 0;
        threads.RunPhases(2, 3, (_, _) => Interlocked.Increment(ref calls));
        Assert.Equal(6, calls);
    }

    [Fact]
    public void Callers_of_phases_may_share_a_crew()
    {
        using HostParallel threads = new(2);
        int[] calls = new int[4];
        Thread[] callers = [.. Enumerable.Range(0, 4).Select(caller => new Thread(() =>
        {
            for (int repeat = 0; repeat < 30; repeat++) threads.RunPhases(5, 2, (_, _) => Interlocked.Increment(ref calls[caller]));
        }))];
        foreach (Thread caller in callers) caller.Start();
        foreach (Thread caller in callers) Assert.True(caller.Join(TimeSpan.FromSeconds(60)));
        Assert.All(calls, x => Assert.Equal(300, x));
    }

    [Fact]
    public void Several_callers_may_share_a_crew_and_parts_may_outnumber_it()
    {
        using HostParallel threads = new(3);
        int[] calls = new int[4];
        Thread[] callers = [.. Enumerable.Range(0, 4).Select(caller => new Thread(() =>
        {
            for (int repeat = 0; repeat < 50; repeat++) threads.Run(11, part => Interlocked.Add(ref calls[caller], part));
        }))];
        foreach (Thread caller in callers) caller.Start();
        foreach (Thread caller in callers) caller.Join();
        Assert.All(calls, x => Assert.Equal(50 * 55, x));
    }

    [Fact]
    public void Small_work_stays_on_the_calling_thread()
    {
        using HostParallel threads = new(4);
        int caller = Environment.CurrentManagedThreadId;
        threads.Split(1000, 1, work: 1000, (part, from, to) =>
            Assert.Equal((0, 0, 1000, caller), (part, from, to, Environment.CurrentManagedThreadId)));
    }
}
