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

    /// <summary>Its compute capability.</summary>
    public CudaArchitecture Architecture { get; }

    /// <summary>Registers of a group at most, all its members together.</summary>
    public int TotalNumRegistersPerGroup { get; }
}

/// <summary>A compute capability.</summary>
public readonly struct CudaArchitecture
{
    /// <summary>Its first number.</summary>
    public int Major { get; }
}
