using System.Reflection;
using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Every kernel of this assembly, so that all of them can be checked and compiled without being launched.</summary>
public static class KernelCatalog
{
    /// <summary>All kernels, generic ones closed over each of their instances.</summary>
    public static IEnumerable<MethodInfo> All
    {
        get
        {
            const BindingFlags Statics = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
            foreach (MethodInfo method in typeof(KernelCatalog).Assembly.GetTypes().SelectMany(type => type.GetMethods(Statics)))
            {
                if (method.GetCustomAttribute<KernelEntryAttribute>() is not { } entry) continue;
                if (!method.IsGenericMethodDefinition) yield return method;
                else foreach (Type[] instance in entry.Instances.Chunk(method.GetGenericArguments().Length)) yield return method.MakeGenericMethod(instance);
            }
        }
    }

    /// <summary>Whether a kernel uses shuffles, which ILGPU has not for every OpenCL device.</summary>
    public static bool UsesShuffles(MethodInfo kernel) => kernel.IsGenericMethod && kernel.GetGenericArguments().Contains(typeof(ByShuffles));

    /// <summary>The least compute capability, 80 for 8.0, of the CUDA devices that alone can run this kernel; 0 where every device can.</summary>
    public static int CudaCapability(MethodInfo kernel) => kernel.GetCustomAttribute<KernelEntryAttribute>()?.CudaCapability ?? 0;

    /// <summary>Whether the launcher chooses the groups of this kernel (its first parameter is the index).</summary>
    public static bool IsImplicitlyGrouped(MethodInfo kernel) =>
        kernel.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(Index1D);
}
