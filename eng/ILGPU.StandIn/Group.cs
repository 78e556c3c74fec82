namespace ILGPU;

/// <summary>Where the running thread stands in its group.</summary>
public static class Group
{
    /// <summary>Its position.</summary>
    public static int IdxX => GroupMember.Current.Member;

    /// <summary>Members of the group.</summary>
    public static int DimX => GroupMember.Current.Launch.Config.Members;

    /// <summary>Waits for all members of the group.</summary>
    public static void Barrier() => GroupMember.Current.Barrier();
}

/// <summary>Where the running thread's group stands in the grid.</summary>
public static class Grid
{
    /// <summary>Its position.</summary>
    public static int IdxX => GroupMember.Current.Group;
}
