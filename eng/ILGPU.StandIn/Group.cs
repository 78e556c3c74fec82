namespace ILGPU;

/// <summary>Where the running thread stands in its group.</summary>
public static class Group
{
    /// <summary>Position in X.</summary>
    public static int IdxX => GroupMember.Current.Thread.X;

    /// <summary>Position in Y.</summary>
    public static int IdxY => GroupMember.Current.Thread.Y;

    /// <summary>Position in Z.</summary>
    public static int IdxZ => GroupMember.Current.Thread.Z;

    /// <summary>Extent in X.</summary>
    public static int DimX => GroupMember.Current.Launch.Config.GroupDim.X;

    /// <summary>Extent in Y.</summary>
    public static int DimY => GroupMember.Current.Launch.Config.GroupDim.Y;

    /// <summary>Extent in Z.</summary>
    public static int DimZ => GroupMember.Current.Launch.Config.GroupDim.Z;

    /// <summary>Waits for all members of the group.</summary>
    public static void Barrier() => GroupMember.Current.Barrier();
}

/// <summary>Where the running thread's group stands in the grid.</summary>
public static class Grid
{
    /// <summary>Position in X.</summary>
    public static int IdxX => GroupMember.Current.Group.X;

    /// <summary>Position in Y.</summary>
    public static int IdxY => GroupMember.Current.Group.Y;

    /// <summary>Position in Z.</summary>
    public static int IdxZ => GroupMember.Current.Group.Z;

    /// <summary>Groups in X.</summary>
    public static int DimX => GroupMember.Current.Launch.Config.GridDim.X;

    /// <summary>Groups in Y.</summary>
    public static int DimY => GroupMember.Current.Launch.Config.GridDim.Y;

    /// <summary>Groups in Z.</summary>
    public static int DimZ => GroupMember.Current.Launch.Config.GridDim.Z;

    /// <summary>Position of the running thread in the whole grid.</summary>
    public static Index3D GlobalIndex => new(
        (IdxX * ILGPU.Group.DimX) + ILGPU.Group.IdxX, (IdxY * ILGPU.Group.DimY) + ILGPU.Group.IdxY, (IdxZ * ILGPU.Group.DimZ) + ILGPU.Group.IdxZ);
}
