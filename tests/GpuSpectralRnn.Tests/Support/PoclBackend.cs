using System.Reflection;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// PoCL, an OpenCL device on the processor that tests the kernels' OpenCL text where there is no GPU (Debian: pocl-opencl-icd). Its version 3.1 says
/// that it has no generic address space, though its processor device handles one, in the language of OpenCL 2.0 at least; so ILGPU would refuse it,
/// and the tests say otherwise in its name.
/// </summary>
internal static class PoclBackend
{
    private const string Platform = "Portable Computing Language";

    /// <summary>
    /// Opens PoCL's processor, or gives null where it is not installed; <paramref name="sharesMemory"/> runs kernels there that real GPUs run.
    /// </summary>
    public static IBackend? Open(bool sharesMemory = false, RecurrentStrategy kernels = RecurrentStrategy.Auto)
    {
        // PoCL's first calls must not come from two threads at once: it then has no device, or crashes. The library looks for devices once.
        _ = Devices.List();
        Context context = Context.Create(builder => builder.OpenCL(IsPocl).Optimize(OptimizationLevel.O2));
        if (context.GetCLDevices().Count == 0) return null;
        CLDevice device = context.GetCLDevice(0);
        DeviceInfo info = new("pocl", device.Name, device.MemorySize, device.Capabilities.Float64);
        Accelerator accelerator = device.CreateAccelerator(context);
        return new IlgpuBackend(info, sharesMemory ? new KernelLoader(accelerator) { SharesMemory = true } : new KernelLoader(accelerator), kernels);
    }

    private static bool IsPocl(CLDevice device)
    {
        if (device.PlatformName != Platform) return false;
        PropertyInfo property = typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))!;
        property.SetValue(device.Capabilities, true);
        typeof(CLDevice).GetProperty(nameof(CLDevice.DeviceVersion))!.SetValue(device, CLDeviceVersion.CL20);
        return true;
    }
}
