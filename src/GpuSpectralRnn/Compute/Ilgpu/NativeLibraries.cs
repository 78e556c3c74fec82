using System.Reflection;
using System.Runtime.InteropServices;
using GpuSpectralRnn.Kernels;
using ILGPU;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Finds driver libraries under the names they have on Linux without developer packages. ILGPU asks for <c>OpenCL</c> and <c>cuda</c>, which only
/// such packages provide, and would silently find no device; its cuBLAS binding knows versions up to 12.
/// </summary>
internal static class NativeLibraries
{
    private const string WslLibraries = "/usr/lib/wsl/lib";
    private static readonly Lazy<bool> Registration = new(RegisterOnce);

    private static readonly Dictionary<string, string[]> LinuxNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["OpenCL"] = ["libOpenCL.so.1"],
        ["cuda"] = ["libcuda.so.1"],
        ["libcublas.so.12"] = ["libcublas.so.13"],
    };

    /// <summary>Takes effect once per process; must come before ILGPU looks for devices.</summary>
    public static void Register() => _ = Registration.Value;

    /// <summary>The names to try for a library, best first; none where the plain name is right.</summary>
    public static IReadOnlyList<string> NamesOf(string library)
    {
        if (OperatingSystem.IsLinux() && LinuxNames.TryGetValue(library, out string[]? names)) return [library, .. names];
        return OperatingSystem.IsWindows() && library == CudaFunction.Library ? ["nvcuda"] : [];
    }

    private static bool RegisterOnce()
    {
        // Under WSL ILGPU installs a resolver of its own and would find the place taken.
        if (!Directory.Exists(WslLibraries)) NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(AlgorithmContext).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(CudaFunction).Assembly, Resolve);
        return true;
    }

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? searchPath)
    {
        foreach (string name in NamesOf(library))
        {
            if (NativeLibrary.TryLoad(name, assembly, searchPath, out nint handle)) return handle;
        }

        return 0;
    }
}
