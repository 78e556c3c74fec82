using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// What a thread of a group that takes all steps owns: a unit of a sequence. Threads beyond the last unit or sequence read what the last one reads,
/// and store nothing.
/// </summary>
internal struct PersistentThread
{
    /// <summary>Its number in the group.</summary>
    public int Thread;

    /// <summary>Its place among the threads that share their rows.</summary>
    public int Lane;

    /// <summary>The unit, or the last one.</summary>
    public int Unit;

    /// <summary>The sequence, or the last one.</summary>
    public int Sequence;

    /// <summary>Where the state is in shared memory, from the beginning of a step's states on.</summary>
    public int State;

    private int part;
    private int paddedUnit;

    /// <summary>Threads that share the rows of 4 units: thread t has rows of units 4 (t / lanes) on and owns one of them.</summary>
    public static PersistentThread OfRows(PersistentWalk walk, int lanes)
    {
        int lane = Group.IdxX & (lanes - 1);
        return Create(walk, lane, Group.IdxX / lanes * 4 + (lane & 3), lane >> 2);
    }

    /// <summary>Four threads that share the gates of a unit, each with a sequence of its own.</summary>
    public static PersistentThread OfGates(PersistentWalk walk) => Create(walk, Group.IdxX & 3, Group.IdxX >> 2, Group.IdxX & 3);

    /// <summary>Whether its unit and sequence are there.</summary>
    public readonly bool IsActive(PersistentWalk walk) =>
        paddedUnit < walk.Width && part < walk.Sequences && Grid.IdxX * walk.Sequences + part < walk.Batch;

    private static PersistentThread Create(PersistentWalk walk, int lane, int unit, int part) => new()
    {
        Thread = Group.IdxX,
        Lane = lane,
        Unit = Math.Min(unit, walk.Width - 1),
        Sequence = Math.Min(Grid.IdxX * walk.Sequences + part, walk.Batch - 1),
        State = part * walk.Pitch + unit,
        part = part,
        paddedUnit = unit,
    };
}
