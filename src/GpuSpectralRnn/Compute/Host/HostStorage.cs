using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Native memory of this machine, aligned to 64 bytes (a cache line, an AVX-512 register) and zeroed.</summary>
internal sealed unsafe class HostStorage : TensorStorage
{
    private const nuint Alignment = 64;

    /// <summary>Allocates and clears.</summary>
    public HostStorage(IBackend backend, ElementType type, long count)
        : base(backend, type, count)
    {
        nuint bytes = checked((nuint)count * (nuint)type.Size());
        Address = NativeMemory.AlignedAlloc(Math.Max(bytes, Alignment), Alignment);
        NativeMemory.Clear(Address, bytes);
    }

    /// <summary>The first byte.</summary>
    public void* Address { get; private set; }

    /// <inheritdoc/>
    protected override void Release()
    {
        NativeMemory.AlignedFree(Address);
        Address = null;
    }
}
