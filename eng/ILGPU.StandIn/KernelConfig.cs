using System.Runtime.CompilerServices;

namespace ILGPU;

/// <summary>Dynamic shared memory of a launch.</summary>
public readonly struct SharedMemoryConfig
{
    /// <summary>Makes a request.</summary>
    public SharedMemoryConfig(int numElements, int elementSize)
    {
        NumElements = numElements;
        ElementSize = elementSize;
    }

    /// <summary>Number of elements.</summary>
    public int NumElements { get; }

    /// <summary>Bytes of one element.</summary>
    public int ElementSize { get; }

    /// <summary>Size in bytes.</summary>
    public int ArraySize => NumElements * ElementSize;

    /// <summary>Requests memory for elements of one type.</summary>
    public static SharedMemoryConfig RequestDynamic<T>(int numElements)
        where T : unmanaged => new(numElements, Unsafe.SizeOf<T>());
}

/// <summary>Groups, members of a group and shared memory of a launch.</summary>
public readonly struct KernelConfig
{
    /// <summary>One dimension.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim)
        : this(gridDim, groupDim, default)
    {
    }

    /// <summary>One dimension and dynamic shared memory.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim, SharedMemoryConfig sharedMemoryConfig)
        : this(new Index3D(gridDim.X, 1, 1), new Index3D(groupDim.X, 1, 1), sharedMemoryConfig)
    {
    }

    /// <summary>Two dimensions.</summary>
    public KernelConfig(Index2D gridDim, Index2D groupDim)
        : this(new Index3D(gridDim.X, gridDim.Y, 1), new Index3D(groupDim.X, groupDim.Y, 1), default)
    {
    }

    /// <summary>Two dimensions and dynamic shared memory.</summary>
    public KernelConfig(Index2D gridDim, Index2D groupDim, SharedMemoryConfig sharedMemoryConfig)
        : this(new Index3D(gridDim.X, gridDim.Y, 1), new Index3D(groupDim.X, groupDim.Y, 1), sharedMemoryConfig)
    {
    }

    /// <summary>Three dimensions.</summary>
    public KernelConfig(Index3D gridDim, Index3D groupDim)
        : this(gridDim, groupDim, default)
    {
    }

    /// <summary>Three dimensions and dynamic shared memory.</summary>
    public KernelConfig(Index3D gridDim, Index3D groupDim, SharedMemoryConfig sharedMemoryConfig)
    {
        GridDim = gridDim;
        GroupDim = groupDim;
        SharedMemoryConfig = sharedMemoryConfig;
    }

    /// <summary>Number of groups.</summary>
    public Index3D GridDim { get; }

    /// <summary>Members of a group.</summary>
    public Index3D GroupDim { get; }

    /// <summary>Dynamic shared memory of a group.</summary>
    public SharedMemoryConfig SharedMemoryConfig { get; }

    /// <summary>Groups and members.</summary>
    public static implicit operator KernelConfig((Index1D, Index1D) dimensions) => new(dimensions.Item1, dimensions.Item2);
}
