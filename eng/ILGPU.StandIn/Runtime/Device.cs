namespace ILGPU.Runtime;

/// <summary>Kinds of accelerators.</summary>
public enum AcceleratorType
{
    /// <summary>Runs kernels on the host's threads.</summary>
    CPU,

    /// <summary>NVIDIA.</summary>
    Cuda,

    /// <summary>OpenCL.</summary>
    OpenCL,
}

/// <summary>Something that can run kernels.</summary>
public abstract class Device
{
    private protected Device(AcceleratorType type) => AcceleratorType = type;

    /// <summary>Its kind.</summary>
    public AcceleratorType AcceleratorType { get; }

    /// <summary>Its name.</summary>
    public string Name { get; protected set; } = string.Empty;

    /// <summary>Its memory in bytes.</summary>
    public long MemorySize { get; protected set; }

    /// <summary>Members of a group at most.</summary>
    public int MaxNumThreadsPerGroup { get; protected set; }

    /// <summary>Shared memory of a group at most, in bytes.</summary>
    public int MaxSharedMemoryPerGroup { get; protected set; }

    /// <summary>Members of a warp.</summary>
    public int WarpSize { get; protected set; }

    /// <summary>Multiprocessors.</summary>
    public int NumMultiprocessors { get; protected set; }

    /// <summary>Threads of a multiprocessor at most.</summary>
    public int MaxNumThreadsPerMultiprocessor { get; protected set; }

    /// <summary>Threads at most.</summary>
    public int MaxNumThreads => NumMultiprocessors * MaxNumThreadsPerMultiprocessor;

    /// <summary>Makes it ready for use.</summary>
    public abstract Accelerator CreateAccelerator(Context context);
}
