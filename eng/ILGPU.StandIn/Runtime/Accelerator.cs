using System.Reflection;

namespace ILGPU.Runtime;

/// <summary>A device in use.</summary>
public abstract class Accelerator : IDisposable
{
    private protected Accelerator(Device device) => Device = device;

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>Its kind.</summary>
    public AcceleratorType AcceleratorType => Device.AcceleratorType;

    /// <summary>Members of a group at most.</summary>
    public int MaxNumThreadsPerGroup => Device.MaxNumThreadsPerGroup;

    /// <summary>Shared memory of a group at most, in bytes.</summary>
    public int MaxSharedMemoryPerGroup => Device.MaxSharedMemoryPerGroup;

    /// <summary>Members of a warp.</summary>
    public int WarpSize => Device.WarpSize;

    /// <summary>Multiprocessors.</summary>
    public int NumMultiprocessors => Device.NumMultiprocessors;

    /// <summary>Threads at most.</summary>
    public int MaxNumThreads => Device.MaxNumThreads;

    /// <summary>Makes a stream.</summary>
    public AcceleratorStream CreateStream() => new();

    /// <summary>Memory for some elements of a size, not cleared.</summary>
    public MemoryBuffer AllocateRaw(long length, int elementSize) => new(length, elementSize);

    /// <summary>Loads an explicitly grouped kernel.</summary>
    public Kernel LoadKernel(MethodInfo method) => new(this, method, implicitly: false);

    /// <summary>Loads an explicitly grouped kernel.</summary>
    public Kernel LoadKernel(MethodInfo method, KernelSpecialization specialization) => LoadKernel(method);

    /// <summary>Loads a kernel over an index, in groups of a given size.</summary>
    public Kernel LoadImplicitlyGroupedKernel(MethodInfo method, int customGroupSize) => new(this, method, implicitly: true);

    /// <summary>Members of a group that suit a kernel; here as many as there may be.</summary>
    public int EstimateGroupSize(Kernel kernel) => MaxNumThreadsPerGroup;

    /// <summary>Makes it the thread's current one.</summary>
    public void Bind()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => GC.SuppressFinalize(this);
}
