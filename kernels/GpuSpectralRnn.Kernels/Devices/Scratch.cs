using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Temporary memory between the launches of one operation. It grows to the largest size asked for and is kept, so that repeated shapes do not
/// allocate.
/// </summary>
internal sealed class Scratch(DeviceMemory memory) : IDisposable
{
    private const long Unit = 1 << 14; // 64 KiB: sizes that differ by little shall not take turns

    private MemoryBuffer? buffer;

    /// <summary>
    /// A view of <paramref name="count"/> numbers, not cleared, valid until the next call. Growing waits for launches that use the old memory.
    /// </summary>
    public ArrayView<float> Of(long count)
    {
        if (buffer is null || buffer.Length < count)
        {
            buffer?.Dispose(); // the driver waits, or keeps it until it is free
            buffer = null;
            buffer = memory.Allocate((count + Unit - 1) / Unit * Unit, sizeof(float));
        }

        return buffer.AsArrayView<float>(0, count);
    }

    /// <inheritdoc/>
    public void Dispose() => buffer?.Dispose();
}
