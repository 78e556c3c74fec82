namespace ILGPU.Runtime.Cuda;

/// <summary>A kernel loaded for an NVIDIA device; the stand-in has none.</summary>
public abstract class CudaKernel : Kernel
{
    private CudaKernel()
        : base(null!, null!, implicitly: false)
    {
    }

    /// <summary>The driver's handle.</summary>
    public IntPtr FunctionPtr { get; }
}
