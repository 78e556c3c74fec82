using ILGPU.Backends;
using ILGPU.Backends.OpenCL;

namespace ILGPU.Runtime.OpenCL;

/// <summary>Kinds of OpenCL devices.</summary>
[Flags]
public enum CLDeviceType
{
    /// <summary>Processor.</summary>
    CL_DEVICE_TYPE_CPU = 1 << 1,

    /// <summary>Graphics processor.</summary>
    CL_DEVICE_TYPE_GPU = 1 << 2,
}

/// <summary>What an OpenCL device can do.</summary>
public abstract class CLCapabilityContext
{
    private CLCapabilityContext()
    {
    }

    /// <summary>Double precision.</summary>
    public bool Float64 { get; }
}

/// <summary>An OpenCL device; the stand-in finds none.</summary>
public abstract class CLDevice : Device
{
    private CLDevice()
        : base(AcceleratorType.OpenCL)
    {
    }

    /// <summary>What it can do.</summary>
    public CLCapabilityContext Capabilities { get; } = null!;

    /// <summary>Kind of device.</summary>
    public CLDeviceType DeviceType { get; private set; }
}

/// <summary>An OpenCL device in use; the stand-in has none.</summary>
public abstract class CLAccelerator : Accelerator
{
    private CLAccelerator(CLDevice device)
        : base(device)
    {
    }

    /// <summary>Its compiler.</summary>
    public CLBackend Backend { get; } = null!;

    /// <summary>Loads a compiled kernel.</summary>
    public Kernel LoadKernel(CompiledKernel kernel) => throw new NotSupportedException("The stand-in for ILGPU has no OpenCL.");
}

/// <summary>Devices of this kind in a context.</summary>
public static class CLContextExtensions
{
    /// <summary>Would add all devices of this kind.</summary>
    public static Context.Builder OpenCL(this Context.Builder builder) => builder;

    /// <summary>Devices of this kind: none.</summary>
    public static Context.DeviceCollection<CLDevice> GetCLDevices(this Context context) => context.GetDevices<CLDevice>();
}
