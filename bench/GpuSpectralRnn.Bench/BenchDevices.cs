using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Bench;

/// <summary>The devices that benchmarks can ask for: those of the library, and <c>pocl</c>, OpenCL on the processor, which only tests know.</summary>
internal static class BenchDevices
{
    /// <summary>Opens a device.</summary>
    public static IBackend Open(string id)
    {
        if (id != "pocl") return Devices.Open(id);
        return PoclBackend.Open() ?? throw new InvalidCallException("PoCL is not installed here (Debian: pocl-opencl-icd).");
    }
}
