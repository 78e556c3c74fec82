using System.Runtime.InteropServices;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Native memory of this machine, aligned to 64 bytes (a cache line, an AVX-512 register), in large pages where it is large, and zeroed.
/// </summary>
internal sealed unsafe class HostStorage : TensorStorage
{
    /// <summary>Allocates and clears.</summary>
    public HostStorage(IBackend backend, ElementType type, long count)
        : base(backend, type, count)
    {
        nuint bytes = checked((nuint)count * (nuint)type.Size());
        Address = LargePages.Allocate(bytes);
        NativeMemory.Clear(Address, bytes);
    }

    /// <summary>The first byte.</summary>
    public void* Address { get; private set; }

    /// <summary>Grows whenever somebody asks for the memory to write to it: what was made of its numbers before may be out of date.</summary>
    public long Version { get; set; }

    /// <inheritdoc/>
    protected override void Release()
    {
        NativeMemory.AlignedFree(Address);
        Address = null;
    }
}
