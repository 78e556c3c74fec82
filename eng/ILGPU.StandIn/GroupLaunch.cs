using System.Runtime.ExceptionServices;
using ILGPU.Runtime;

namespace ILGPU;

/// <summary>
/// One launch of an explicitly grouped kernel: as many threads as a group has members. Each of them runs its member of every group in turn, and waits for
/// the others only where the kernel says so.
/// </summary>
internal sealed class GroupLaunch(KernelConfig config, Action run) : IDisposable
{
    private const int SharedMemoryLimit = 48 * 1024;
    private readonly Lock gate = new();
    private readonly object phase = new();
    private readonly List<MemoryBuffer> allocations = [];
    private readonly int members = config.GroupDim.Size;
    private int waiting;
    private int finished;
    private long phases;
    private (int Group, int Barrier) place;
    private Exception? failure;

    public KernelConfig Config { get; } = config;

    public MemoryBuffer Dynamic { get; } = new(config.SharedMemoryConfig.NumElements, Math.Max(1, config.SharedMemoryConfig.ElementSize), fill: 0xFF);

    public void Run(Action<int, Action<int>> startMembers)
    {
        if (Dynamic.LengthInBytes > SharedMemoryLimit) throw new InvalidOperationException($"The launch asks for {Dynamic.LengthInBytes} bytes of shared memory; 48 KB are certain.");
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
        Dynamic.Dispose();
        foreach (MemoryBuffer memory in allocations) memory.Dispose();
    }

    private static InvalidOperationException Diverged() => new("Not all members of a group reach the same Group.Barrier.");

    private void RunMember(int member)
    {
        try
        {
            GroupMember self = new(this, member);
            int groups = Config.GridDim.Size;
            for (int group = 0; group < groups && failure is null; group++) self.Run(group, run);
        }
        catch (Exception thrown)
        {
            lock (phase) Fail(thrown);
        }

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

/// <summary>A running thread's place in its launch.</summary>
internal sealed class GroupMember(GroupLaunch launch, int member)
{
    [ThreadStatic]
    private static GroupMember? current;
    private int group;
    private int allocations;
    private int barriers;

    public static GroupMember Current => current ?? throw new InvalidOperationException("Grid, Group and SharedMemory are for explicitly grouped kernels.");

    public GroupLaunch Launch { get; } = launch;

    public Index3D Thread { get; } = Place(member, launch.Config.GroupDim);

    public Index3D Group { get; private set; }

    public void Run(int number, Action run)
    {
        current = this;
        group = number;
        Group = Place(number, Launch.Config.GridDim);
        allocations = 0;
        barriers = 0;
        try
        {
            run();

            // The next group uses the same shared memory: nobody may go on to it while another still reads this group's.
            if (barriers + allocations > 0) Barrier();
        }
        finally
        {
            current = null;
        }
    }

    public void Barrier() => Launch.Barrier(group, barriers++);

    public MemoryBuffer Allocate(int count, int elementSize) => Launch.Allocate(allocations++, count, elementSize);

    private static Index3D Place(int linear, Index3D extent) => new(linear % extent.X, linear / extent.X % extent.Y, linear / extent.X / extent.Y);
}
