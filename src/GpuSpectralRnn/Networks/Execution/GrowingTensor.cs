using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks.Execution;

/// <summary>Device memory that grows to the largest count that was asked for; what it held before is lost then.</summary>
/// <param name="backend">Where it is.</param>
/// <param name="type">Of its elements.</param>
internal sealed class GrowingTensor(IBackend backend, ElementType type = ElementType.Float32) : IDisposable
{
    private Tensor? memory;

    /// <summary>A tensor of at least <paramref name="count"/> elements; it stays the same until more are asked for.</summary>
    public Tensor Take(long count)
    {
        if (memory is not null && memory.Count >= count) return memory;
        memory?.Dispose();
        return memory = backend.Allocate(new Shape(checked((int)count)), type);
    }

    /// <inheritdoc/>
    public void Dispose() => memory?.Dispose();
}
