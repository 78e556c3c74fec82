using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// The CUDA driver that tests/CudaSimulator builds, in place of NVIDIA's. Only tests load it, and only where the environment variable
/// GSRNN_CUDA_SIMULATOR names its libcuda.so.1: cuda:0 is then the simulator.
/// </summary>
internal static class CudaSimulator
{
    /// <summary>Names the library.</summary>
    public const string Variable = "GSRNN_CUDA_SIMULATOR";

    private static nint library;

    /// <summary>Whether the tests of cuda:0 run on the simulator.</summary>
    public static bool IsHere => library != 0;

    // Before anything looks for devices: a library that is loaded already answers to its name, libcuda.so.1.
    [ModuleInitializer]
    internal static void Load()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(path)) return;
        library = NativeLibrary.Load(Path.GetFullPath(path));
        Console.WriteLine($"cuda:0 is the CUDA simulator {path}");
    }

    /// <summary>An entry point of the library; skips the test where it is not loaded.</summary>
    public static TDelegate Function<TDelegate>(string name)
        where TDelegate : Delegate
    {
        Xunit.Skip.IfNot(IsHere, $"The CUDA simulator was not asked for: {Variable} is not set.");
        return Marshal.GetDelegateForFunctionPointer<TDelegate>(NativeLibrary.GetExport(library, name));
    }
}
