using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// What kernels hand on from launch to launch within one operation: as much as was needed at most so far, so that the second run of a shape takes no
/// memory.
/// </summary>
internal sealed class Scratch(DeviceMemory memory) : IDisposable
{
    private const long Unit = 1 << 14; // 64 KiB: sizes that differ by little shall not take turns

    private MemoryBuffer? buffer;

    /// <summary>
    /// Numbers, not cleared; valid until the next call. Launches that still use the memory of an earlier call are waited for where it has to grow.
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
