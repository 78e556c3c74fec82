using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// The CUDA driver that tests/CudaSimulator builds, in place of NVIDIA's. Only tests load it, and only where the environment variable
/// GSRNN_CUDA_SIMULATOR names its libcuda.so.1: cuda:0 is then the simulator.
/// </summary>
internal static partial class CudaSimulator
{
    /// <summary>Names the library.</summary>
    public const string Variable = "GSRNN_CUDA_SIMULATOR";

    /// <summary>The name to which the library answers once it is loaded.</summary>
    public const string Library = "libcuda.so.1";

    /// <summary>Whether the tests of cuda:0 run on the simulator.</summary>
    public static bool IsHere { get; private set; }

    /// <summary>Skips the test where the simulator is not loaded.</summary>
    public static void Require() => Skip.IfNot(IsHere, $"There is no CUDA simulator: {Variable} does not name its library (tests/CudaSimulator/build.sh).");

    /// <summary>
    /// Lets calls in the current context fail, counted from now on: <c>launch:3:700</c> is the third launch with CUDA's error 700; <c>alloc</c>,
    /// <c>copy</c>; several with commas between.
    /// </summary>
    [LibraryImport(Library, EntryPoint = "simulatorFail", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Fail(string plans);

    // Before anything looks for devices.
    [ModuleInitializer]
    internal static void Load()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(path)) return;
        NativeLibrary.Load(Path.GetFullPath(path));
        IsHere = true;
    }
}
