using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Kernels;

/// <summary>Attributes of loaded kernels and devices that ILGPU does not read from the CUDA driver.</summary>
public static partial class CudaFunction
{
    /// <summary>Shared memory of a group without opt-in, in bytes.</summary>
    public const int PlainSharedBytes = 48 * 1024;

    /// <summary>Name of the driver's library for P/Invoke; a resolver maps it to the system's file.</summary>
    public const string Library = "cuda";

    private const int LocalSizeBytes = 3; // CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES
    private const int NumRegs = 4; // CU_FUNC_ATTRIBUTE_NUM_REGS
    private const int MaxDynamicSharedSizeBytes = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private const int MaxSharedMemoryPerBlockOptin = 97; // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN

    /// <summary>Raises a kernel's limit of dynamic shared memory to this number of bytes; never lowers it.</summary>
    /// <exception cref="NotSupportedException">The driver refuses.</exception>
    public static void AllowSharedBytes(nint function, int bytes)
    {
        if (bytes <= PlainSharedBytes) return;
        if (GetAttribute(out int allowed, MaxDynamicSharedSizeBytes, function) == 0 && allowed >= bytes) return;
        int error = SetAttribute(function, MaxDynamicSharedSizeBytes, bytes);
        if (error != 0) throw new NotSupportedException($"The CUDA driver refuses {bytes} bytes of shared memory (error {error}).");
    }

    /// <summary>Largest shared memory of a group on a device with opt-in, in bytes; 48 KiB without a driver.</summary>
    public static int SharedBytes(int device)
    {
        try
        {
            return GetDeviceAttribute(out int bytes, MaxSharedMemoryPerBlockOptin, device) == 0
                ? Math.Max(bytes, PlainSharedBytes)
                : PlainSharedBytes;
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return PlainSharedBytes;
        }
    }

    /// <summary>Registers and bytes of local memory (spills) of one thread.</summary>
    /// <exception cref="NotSupportedException">The driver refuses the query.</exception>
    public static (int Registers, int LocalBytes) Usage(nint function)
    {
        int error = GetAttribute(out int registers, NumRegs, function);
        int local = 0;
        if (error == 0) error = GetAttribute(out local, LocalSizeBytes, function);
        if (error != 0) throw new NotSupportedException($"The CUDA driver does not describe this kernel (error {error}).");
        return (registers, local);
    }

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    private static partial int SetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuFuncGetAttribute")]
    private static partial int GetAttribute(out int value, int attribute, nint function);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    private static partial int GetDeviceAttribute(out int value, int attribute, int device);
}
