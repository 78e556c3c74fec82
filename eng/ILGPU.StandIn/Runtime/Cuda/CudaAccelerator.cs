namespace ILGPU.Runtime.Cuda;

/// <summary>An NVIDIA device in use; the stand-in has none.</summary>
public abstract class CudaAccelerator : Accelerator
{
    private CudaAccelerator(CudaDevice device)
        : base(device)
    {
    }

    /// <summary>The driver's number of the device.</summary>
    public int DeviceId { get; }

    /// <summary>Registers of a group at most, all its members together.</summary>
    public int TotalNumRegistersPerGroup { get; }
}
