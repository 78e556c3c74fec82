using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Allocates memory of one device and counts what is in use. The caller owns and disposes each buffer.</summary>
public sealed class DeviceMemory(Accelerator accelerator)
{
    private readonly List<WeakReference<MemoryBuffer>> buffers = [];
    private int pruneAt = 64;

    /// <summary>Number of allocations so far.</summary>
    public long Allocations { get; private set; }

    /// <summary>Bytes of the buffers not yet disposed.</summary>
    public long LiveBytes => buffers.Sum(Bytes);

    /// <summary>Allocates a number of elements of a size in bytes; not cleared.</summary>
    /// <exception cref="AcceleratorException">The device has too little free memory.</exception>
    public MemoryBuffer Allocate(long count, int elementSize)
    {
        MemoryBuffer buffer = accelerator.AllocateRaw(count, elementSize);
        Allocations++;
        if (buffers.Count >= pruneAt)
        {
            buffers.RemoveAll(known => Bytes(known) == 0);
            pruneAt = Math.Max(64, 2 * buffers.Count);
        }

        buffers.Add(new WeakReference<MemoryBuffer>(buffer));
        return buffer;
    }

    private static long Bytes(WeakReference<MemoryBuffer> known) =>
        known.TryGetTarget(out MemoryBuffer? buffer) && !buffer.IsDisposed ? buffer.LengthInBytes : 0;
}
