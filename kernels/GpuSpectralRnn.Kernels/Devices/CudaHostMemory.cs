using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Kernels;

/// <summary>Page-locked host memory, the source of asynchronous copies.</summary>
public static partial class CudaHostMemory
{
    /// <summary>Allocates in the current CUDA context; null if the driver refuses.</summary>
    public static nint? Allocate(int bytes)
    {
        try
        {
            return AllocateHost(out nint address, (nuint)bytes) == 0 ? address : null;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Frees the memory; the context must still exist.</summary>
    public static void Free(nint address) => _ = FreeHost(address);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuMemAllocHost_v2")]
    private static partial int AllocateHost(out nint address, nuint bytes);

    [LibraryImport(CudaFunction.Library, EntryPoint = "cuMemFreeHost")]
    private static partial int FreeHost(nint address);
}
