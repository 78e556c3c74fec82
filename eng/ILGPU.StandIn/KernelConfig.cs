namespace ILGPU;

/// <summary>Groups and members of a group of a launch.</summary>
public readonly struct KernelConfig
{
    /// <summary>One dimension.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim)
        : this(gridDim, groupDim, default)
    {
    }

    /// <summary>One dimension, with shared memory that the launch adds.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim, SharedMemoryConfig sharedMemoryConfig)
    {
        Groups = gridDim;
        Members = groupDim;
        SharedMemory = sharedMemoryConfig;
    }

    internal int Groups { get; }

    internal int Members { get; }

    internal SharedMemoryConfig SharedMemory { get; }
}
