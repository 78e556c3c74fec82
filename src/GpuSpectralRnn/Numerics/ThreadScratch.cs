using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Numerics;

/// <summary>Native working memory in equal parts, one per thread, each starting on a cache line of its own. Not cleared.</summary>
internal sealed unsafe class ThreadScratch : IDisposable
{
    private const int Line = 16;

    private readonly long stride;
    private float* memory;

    /// <summary>Allocates <paramref name="parts"/> parts of <paramref name="count"/> floats.</summary>
    public ThreadScratch(int parts, long count)
    {
        stride = (count + Line - 1) / Line * Line;
        memory = (float*)LargePages.Allocate(checked((nuint)(stride * parts * sizeof(float))));
    }

    /// <summary>Frees the memory if <see cref="Dispose"/> was not called.</summary>
    ~ThreadScratch() => Dispose();

    /// <summary>Whether the memory was freed.</summary>
    public bool IsDisposed => memory is null;

    /// <summary>The start of one part.</summary>
    public float* Of(int part) => memory + part * stride;

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
        GC.SuppressFinalize(this);
    }
}
