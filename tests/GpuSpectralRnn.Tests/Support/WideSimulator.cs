using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// A simulator with large groups that is launched like a real device. Every thread of a group is one of the processor's, so work on it must be small.
/// </summary>
internal static class WideSimulator
{
    /// <summary>Opens one, which says that it has so many multiprocessors and whether it has double precision; its context lives as long as the process.</summary>
    public static IlgpuBackend Open(
        int threadsOfWarp, int warps, RecurrentStrategy kernels = RecurrentStrategy.Auto, int multiprocessors = 1, bool hasFloat64 = true)
    {
        Context context = Context.Create(builder => builder.CPU(new CPUDevice(threadsOfWarp, warps, 1)));
        KernelLoader loader = new(context.CreateCPUAccelerator(0), isSimulator: false) { Multiprocessors = multiprocessors };
        return new IlgpuBackend(new DeviceInfo("wide", "wide simulator", 1 << 30, hasFloat64), loader, kernels);
    }
}
