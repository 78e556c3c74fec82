using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Page-locked memory through which uploads pass: the host copies into it and goes on, the device fetches when its queue gets there. So a training
/// loop runs ahead of the device; it waits only when the ring is full, every 32 MiB, and then for the streams that fetched from it.
/// </summary>
internal sealed unsafe class UploadRing : IDisposable
{
    private const int Size = 32 << 20;
    private const int Alignment = 256;

    private readonly List<AcceleratorStream> users = [];
    private readonly nint memory;
    private readonly int size;
    private readonly Action<nint> free;
    private int place;

    /// <summary>A ring in memory that it gives back by <paramref name="free"/>.</summary>
    internal UploadRing(nint memory, int size, Action<nint> free)
    {
        this.memory = memory;
        this.size = size;
        this.free = free;
    }

    /// <summary>How often an upload had to wait for the device.</summary>
    public int Waits { get; private set; }

    /// <summary>A ring for a CUDA device; null for others, and where the driver has no such memory.</summary>
    public static UploadRing? Create(Accelerator accelerator)
    {
        if (accelerator is not CudaAccelerator) return null;
        accelerator.Bind();
        return CudaHostMemory.Allocate(Size) is { } memory ? new UploadRing(memory, Size, CudaHostMemory.Free) : null;
    }

    /// <summary>Queues the upload on a stream; false, and nothing done, where it is too large for the ring.</summary>
    public bool TryUpload<T>(AcceleratorStream stream, ReadOnlySpan<T> source, ArrayView<T> target)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(source);
        if (bytes.Length > size / 4) return false;
        if (bytes.Length > size - place)
        {
            Await();
            place = 0;
            Waits++;
        }

        if (!users.Contains(stream)) users.Add(stream);
        byte* slot = (byte*)memory + place;
        bytes.CopyTo(new Span<byte>(slot, bytes.Length));
        target.CopyFromCPUUnsafeAsync(stream, ref Unsafe.AsRef<T>(slot), source.Length);
        place = Math.Min(size, (place + bytes.Length + Alignment - 1) / Alignment * Alignment);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Await();
        free(memory);
    }

    // The device may still be fetching.
    private void Await()
    {
        foreach (AcceleratorStream stream in users) stream.Synchronize();
        users.Clear();
    }
}
