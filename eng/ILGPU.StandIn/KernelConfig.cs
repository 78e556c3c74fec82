namespace ILGPU;

/// <summary>Groups and members of a group of a launch.</summary>
public readonly struct KernelConfig
{
    /// <summary>One dimension.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim)
    {
        Groups = gridDim;
        Members = groupDim;
    }

    internal int Groups { get; }

    internal int Members { get; }
}
