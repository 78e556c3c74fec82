using System.Runtime.ExceptionServices;
using ILGPU.Runtime;

namespace ILGPU;

/// <summary>
/// One launch of an explicitly grouped kernel: as many threads as a group has members. Each of them runs its member of every group in turn, and waits
/// for the others only where the kernel says so.
/// </summary>
internal sealed class GroupLaunch : IDisposable
{
    private const int SharedMemoryLimit = 48 * 1024;
    private readonly Lock gate = new();
    private readonly object phase = new();
    private readonly List<MemoryBuffer> allocations = [];
    private readonly Action run;
    private readonly int members;
    private readonly MemoryBuffer? dynamicMemory;
    private readonly WarpExchange[] warps;
    private int waiting;
    private int finished;
    private long phases;
    private (int Group, int Barrier) place;
    private Exception? failure;

    public GroupLaunch(KernelConfig config, int warpSize, Action run)
    {
        this.run = run;
        Config = config;
        WarpSize = warpSize;
        members = config.Members;
        SharedMemoryConfig asked = config.SharedMemory;
        if (asked.Count > 0) dynamicMemory = new MemoryBuffer(asked.Count, asked.ElementSize, fill: 0xFF);
        warps = new WarpExchange[(members + warpSize - 1) / warpSize];
        for (int i = 0; i < warps.Length; i++) warps[i] = new WarpExchange(Math.Min(warpSize, members - i * warpSize), () => failure is not null);
    }

    public KernelConfig Config { get; }

    public int WarpSize { get; }

    public MemoryBuffer DynamicMemory => dynamicMemory
        ?? throw new InvalidOperationException("The kernel uses dynamic shared memory, and the launch did not ask for any (SharedMemoryConfig.RequestDynamic).");

    public void Run(Action<int, Action<int>> startMembers)
    {
        startMembers(members, RunMember);
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    public MemoryBuffer Allocate(int ordinal, int count, int elementSize)
    {
        lock (gate)
        {
            if (ordinal == allocations.Count)
            {
                allocations.Add(new MemoryBuffer(count, elementSize, fill: 0xFF));
                if (allocations.Sum(memory => memory.LengthInBytes) > SharedMemoryLimit)
                    throw new InvalidOperationException("The kernel allocates more than 48 KB of shared memory.");
            }

            if (allocations[ordinal].LengthInBytes != (long)count * elementSize)
                throw new InvalidOperationException("The members of a group do not make the same shared memory allocations in the same order.");
            return allocations[ordinal];
        }
    }

    public T Exchange<T>(int member, T value, int source, (int Group, int Shuffle) at)
        where T : unmanaged => warps[member / WarpSize].Exchange(member % WarpSize, value, source, at);

    public void Barrier(int group, int barrier)
    {
        lock (phase)
        {
            ThrowIfFailed();
            if (waiting == 0) place = (group, barrier);
            if (place != (group, barrier) || finished > 0) Fail(Diverged());
            long mine = phases;
            if (++waiting == members)
            {
                waiting = 0;
                phases++;
                Monitor.PulseAll(phase);
            }
            else
            {
                while (phases == mine && failure is null) Monitor.Wait(phase);
            }

            ThrowIfFailed();
        }
    }

    public void Dispose()
    {
        foreach (MemoryBuffer memory in allocations) memory.Dispose();
        dynamicMemory?.Dispose();
    }

    private static InvalidOperationException Diverged() => new("Not all members of a group reach the same Group.Barrier.");

    private void RunMember(int member)
    {
        try
        {
            GroupMember self = new(this, member);
            for (int group = 0; group < Config.Groups && failure is null; group++) self.Run(group, run);
        }
        catch (Exception thrown)
        {
            lock (phase) Fail(thrown);
        }

        warps[member / WarpSize].Finish();
        lock (phase)
        {
            finished++;
            if (waiting > 0 && failure is null) Fail(Diverged());
        }
    }

    private void Fail(Exception thrown)
    {
        failure ??= thrown;
        Monitor.PulseAll(phase);
    }

    private void ThrowIfFailed()
    {
        if (failure is not null) throw new OperationCanceledException("Another member of the group failed.", failure);
    }
}
