using ILGPU.Runtime;

namespace ILGPU;

/// <summary>A running thread's place in its launch.</summary>
internal sealed class GroupMember(GroupLaunch launch, int member)
{
    [ThreadStatic]
    private static GroupMember? current;
    private int allocations;
    private bool usesDynamicMemory;
    private int barriers;
    private int shuffles;

    public static GroupMember Current => current ?? throw new InvalidOperationException("Grid, Group and SharedMemory are for explicitly grouped kernels.");

    public GroupLaunch Launch { get; } = launch;

    public int Member { get; } = member;

    public int Group { get; private set; }

    public void Run(int group, Action run)
    {
        current = this;
        Group = group;
        allocations = 0;
        barriers = 0;
        shuffles = 0;
        usesDynamicMemory = false;
        try
        {
            run();

            // The next group uses the same shared memory: nobody may go on to it while another still reads this group's.
            if (barriers + allocations > 0 || usesDynamicMemory) Barrier();
        }
        finally
        {
            current = null;
        }
    }

    public void Barrier() => Launch.Barrier(Group, barriers++);

    public T Exchange<T>(T value, int mask)
        where T : unmanaged => Launch.Exchange(Member, value, (Member % Launch.WarpSize) ^ mask, (Group, shuffles++));

    public MemoryBuffer DynamicMemory()
    {
        usesDynamicMemory = true;
        return Launch.DynamicMemory;
    }

    public MemoryBuffer Allocate(int count, int elementSize) => Launch.Allocate(allocations++, count, elementSize);
}
