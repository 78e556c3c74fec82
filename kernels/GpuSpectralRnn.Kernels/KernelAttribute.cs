using System.Reflection;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// How a kernel (<see cref="IElementKernel"/>, <see cref="IItemKernel"/>, <see cref="IGroupKernel"/>) is compiled. A generic kernel names the types
/// that close its type parameters, in order: with two parameters, two types make one kernel.
/// </summary>
[AttributeUsage(AttributeTargets.Struct)]
public class KernelAttribute(params Type[] instances) : Attribute
{
    /// <summary>The type arguments of a generic kernel, as many for each instance as it has parameters; empty otherwise.</summary>
    public IReadOnlyList<Type> Instances { get; } = instances;

    /// <summary>
    /// Threads of a group: an upper bound for kernels of elements and items (0: 128), the exact size for kernels of groups (0: the launcher states
    /// it).
    /// </summary>
    public int GroupSize { get; init; }

    /// <summary>Number of groups to be resident on a multiprocessor; it limits the registers of a thread.</summary>
    public int GroupsPerMultiprocessor { get; init; } = 1;

    /// <summary>
    /// Whether CUDA may use divisions with an error of 2 ulp and flush denormal numbers to zero: for kernels dominated by divisions.
    /// </summary>
    public bool DividesFast { get; init; }

    /// <summary>
    /// For a kernel with inline PTX: the least CUDA compute capability (80 for 8.0) that has its instructions. 0: runs on every device.
    /// </summary>
    public int CudaCapability { get; init; }

    /// <summary>The attribute of the kernel of an entry (<see cref="KernelEntries"/>), or the defaults.</summary>
    public static KernelAttribute From(MethodInfo entry) =>
        entry.GetGenericArguments()[0].GetCustomAttribute<KernelAttribute>() ?? new KernelAttribute();
}
