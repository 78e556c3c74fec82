namespace ILGPU.Runtime.Cuda;

/// <summary>An NVIDIA device; the stand-in finds none.</summary>
public abstract class CudaDevice : Device
{
    private CudaDevice()
        : base(AcceleratorType.Cuda)
    {
    }
}

/// <summary>Devices of this kind in a context.</summary>
public static class CudaContextExtensions
{
    /// <summary>Would add all devices of this kind.</summary>
    public static Context.Builder Cuda(this Context.Builder builder) => builder;

    /// <summary>Devices of this kind: none.</summary>
    public static Context.DeviceCollection<CudaDevice> GetCudaDevices(this Context context) => context.GetDevices<CudaDevice>();
}
