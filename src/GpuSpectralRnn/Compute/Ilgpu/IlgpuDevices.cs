using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>A device that ILGPU found.</summary>
/// <param name="Info">What it can do.</param>
/// <param name="Device">The device itself.</param>
/// <param name="IsGpu">Whether it is a graphics processor.</param>
internal sealed record IlgpuDevice(DeviceInfo Info, Device Device, bool IsGpu);

/// <summary>What ILGPU finds on this machine: <c>ilgpu-cpu</c>, <c>cuda:i</c>, <c>opencl:i</c>.</summary>
internal static class IlgpuDevices
{
    private static readonly Lazy<Context> SharedContext = new(CreateContext);
    private static readonly Lazy<IReadOnlyList<IlgpuDevice>> Found = new(Find);

    /// <summary>The context of all devices, one for the whole process; never disposed.</summary>
    public static Context Context => SharedContext.Value;

    /// <summary>CUDA devices, then OpenCL devices, then the simulator on the host; looked for once.</summary>
    public static IReadOnlyList<IlgpuDevice> All => Found.Value;

    /// <summary>Which ILGPU this is: <c>package 1.5.3</c>.</summary>
    public static string Version
    {
        get
        {
            string? version = typeof(Context).Assembly
                .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
            return $"package {version}";
        }
    }

    /// <summary>Opens a device; the caller owns the backend.</summary>
    /// <exception cref="RunFailedException">Its driver refuses.</exception>
    /// <exception cref="InvalidCallException">It has no cuBLAS, or no tensor cores, which were asked for.</exception>
    public static IlgpuBackend Open(IlgpuDevice device, RecurrentStrategy kernels, ProductBackend blas, bool usesGraphs)
    {
        try
        {
            return new IlgpuBackend(device.Info, device.Device.CreateAccelerator(Context), kernels, blas, usesGraphs);
        }
        catch (AcceleratorException refused)
        {
            throw new RunFailedException($"{device.Info.Id} ({device.Info.Name}) cannot be opened: {refused.Message}", refused);
        }
    }

    /// <summary>Whether a device's driver refused, or failed.</summary>
    public static bool IsFailure(Exception e) => e is AcceleratorException;

    private static Context CreateContext()
    {
        NativeLibraries.Register();

        // The simulator runs groups of one best, and all members of a larger group on threads of their own; two multiprocessors keep its launch
        // cheap.
        return Context.Create(builder => builder
            .Cuda()
            .OpenCL()
            .CPU(new CPUDevice(numThreadsPerWarp: 64, numWarpsPerMultiprocessor: 1, numMultiprocessors: 2))
            .Optimize(OptimizationLevel.O2) // OpenCL needs it: without, pointers keep a wrong address space
            .EnableAlgorithms());
    }

    private static List<IlgpuDevice> Find()
    {
        List<IlgpuDevice> devices = [];
        foreach (CudaDevice device in Context.GetCudaDevices())
            devices.Add(new IlgpuDevice(Describe($"cuda:{devices.Count}", device, true), device, IsGpu: true));
        int openCl = 0;
        foreach (CLDevice device in Context.GetCLDevices())
        {
            bool isGpu = device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU);
            devices.Add(new IlgpuDevice(Describe($"opencl:{openCl++}", device, device.Capabilities.Float64), device, isGpu));
        }

        foreach (CPUDevice device in Context.GetCPUDevices())
        {
            // It computes in the host's memory and states no size of its own.
            DeviceInfo info = new(
                "ilgpu-cpu", "ILGPU's simulator on the processor", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, HasFloat64: true);
            devices.Add(new IlgpuDevice(info, device, IsGpu: false));
        }

        return devices;
    }

    private static DeviceInfo Describe(string id, Device device, bool hasFloat64) => new(id, device.Name.Trim(), device.MemorySize, hasFloat64);
}
