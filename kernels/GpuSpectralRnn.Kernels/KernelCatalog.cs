using System.Reflection;
using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Every kernel of this assembly, so that all of them can be checked and compiled without being launched.</summary>
public static class KernelCatalog
{
    /// <summary>The entries of all kernels, generic ones closed over each of their instances.</summary>
    public static IEnumerable<MethodInfo> All
    {
        get
        {
            foreach (Type kernel in typeof(KernelCatalog).Assembly.GetTypes().Where(IsKernel))
            {
                if (!kernel.IsGenericTypeDefinition) yield return KernelEntries.Find(kernel);
                else foreach (Type[] instance in Instances(kernel)) yield return KernelEntries.Find(kernel.MakeGenericType(instance));
            }
        }
    }

    /// <summary>Whether a kernel uses warp shuffles, which ILGPU does not support on every OpenCL device.</summary>
    public static bool UsesShuffles(MethodInfo entry) => Kernel(entry).GetGenericArguments().Contains(typeof(ByShuffles));

    /// <summary>The least CUDA compute capability (80 for 8.0) that this kernel needs; 0: runs on every device.</summary>
    public static int CudaCapability(MethodInfo entry) => KernelAttribute.From(entry).CudaCapability;

    /// <summary>Whether the launcher chooses the size of groups (the entry's first parameter is the index).</summary>
    public static bool IsImplicitlyGrouped(MethodInfo entry) => entry.GetParameters()[0].ParameterType == typeof(Index1D);

    /// <summary>The kernel of an entry.</summary>
    public static Type Kernel(MethodInfo entry) => entry.GetGenericArguments()[0];

    private static bool IsKernel(Type type) => type.IsValueType && KernelEntries.NameFor(type) is not null;

    private static IEnumerable<Type[]> Instances(Type kernel) =>
        kernel.GetCustomAttribute<KernelAttribute>() is { Instances.Count: > 0 } mark
            ? mark.Instances.Chunk(kernel.GetGenericArguments().Length)
            : throw new InvalidOperationException($"{kernel.Name} does not name the types that close it.");
}
