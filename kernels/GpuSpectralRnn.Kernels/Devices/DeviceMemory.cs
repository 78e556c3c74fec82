using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Memory of one device, and what of it is in use. Whoever takes a buffer disposes it.</summary>
public sealed class DeviceMemory(Accelerator accelerator)
{
    private readonly List<WeakReference<MemoryBuffer>> buffers = [];
    private int pruneAt = 64;

    /// <summary>Buffers taken so far, given back or not.</summary>
    public long Allocations { get; private set; }

    /// <summary>Bytes of the buffers that were not given back.</summary>
    public long LiveBytes => buffers.Sum(Bytes);

    /// <summary>Memory for some elements of a size, not cleared.</summary>
    /// <exception cref="AcceleratorException">The device has not that much.</exception>
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
