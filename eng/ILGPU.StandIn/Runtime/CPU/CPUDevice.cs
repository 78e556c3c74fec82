namespace ILGPU.Runtime.CPU;

/// <summary>The host's threads as a device.</summary>
public sealed class CPUDevice : Device
{
    /// <summary>Makes a device of a given shape.</summary>
    public CPUDevice(int numThreadsPerWarp, int numWarpsPerMultiprocessor, int numMultiprocessors)
        : base(AcceleratorType.CPU)
    {
        Name = nameof(CPUAccelerator);
        MemorySize = long.MaxValue;
        MaxNumThreadsPerGroup = numThreadsPerWarp * numWarpsPerMultiprocessor;
        MaxSharedMemoryPerGroup = int.MaxValue;
        WarpSize = numThreadsPerWarp;
        MaxNumThreadsPerMultiprocessor = MaxNumThreadsPerGroup;
        NumMultiprocessors = numMultiprocessors;
    }

    /// <inheritdoc/>
    public override Accelerator CreateAccelerator(Context context) => CreateCPUAccelerator(context);

    /// <summary>Makes it ready for use.</summary>
    public CPUAccelerator CreateCPUAccelerator(Context context) => new(this);
}

/// <summary>Runs kernels on the host's threads.</summary>
public sealed class CPUAccelerator : Accelerator
{
    internal CPUAccelerator(CPUDevice device)
        : base(device)
    {
    }
}

/// <summary>Devices of this kind in a context.</summary>
public static class CPUContextExtensions
{
    /// <summary>Adds a device of a given shape.</summary>
    public static Context.Builder CPU(this Context.Builder builder, CPUDevice cpuDevice)
    {
        builder.Devices.Add(cpuDevice);
        return builder;
    }

    /// <summary>Devices of this kind.</summary>
    public static Context.DeviceCollection<CPUDevice> GetCPUDevices(this Context context) => context.GetDevices<CPUDevice>();

    /// <summary>Makes one of the devices ready for use.</summary>
    public static CPUAccelerator CreateCPUAccelerator(this Context context, int cpuDeviceIndex) =>
        context.GetCPUDevices()[cpuDeviceIndex].CreateCPUAccelerator(context);
}
