namespace ILGPU.Runtime.Cuda;

/// <summary>A queue of an NVIDIA device; the stand-in has none.</summary>
public abstract class CudaStream : AcceleratorStream
{
    private CudaStream()
    {
    }

    /// <summary>The driver's handle.</summary>
    public IntPtr StreamPtr { get; }
}
