using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Device memory of an ILGPU accelerator.</summary>
internal sealed class IlgpuStorage(IBackend backend, ElementType type, long count, MemoryBuffer buffer) : TensorStorage(backend, type, count)
{
    /// <summary>The memory.</summary>
    public MemoryBuffer Buffer { get; } = buffer;

    /// <inheritdoc/>
    protected override void Release() => Buffer.Dispose();
}
