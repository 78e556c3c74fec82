using System.Reflection;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// How a kernel (<see cref="IElementKernel"/>, <see cref="IItemKernel"/>, <see cref="IGroupKernel"/>) is compiled. A generic kernel names the types
/// that close its type parameters, in turn: with two parameters, two types make one kernel.
/// </summary>
[AttributeUsage(AttributeTargets.Struct)]
public class KernelAttribute(params Type[] instances) : Attribute
{
    /// <summary>The type arguments of a generic kernel, as many for each instance as it has parameters; empty otherwise.</summary>
    public IReadOnlyList<Type> Instances { get; } = instances;

    /// <summary>
    /// Threads of a group. Of elements and items as many at most, and 128 where there is no number; 0 for a kernel of groups whose launcher has
    /// several sizes.
    /// </summary>
    public int GroupSize { get; init; }

    /// <summary>How many groups a multiprocessor is to hold side by side: the compiler plans registers for them.</summary>
    public int GroupsPerMultiprocessor { get; init; } = 1;

    /// <summary>
    /// Whether CUDA may divide to two units in the last place and take denormal numbers for zero: for kernels in which divisions are a good part of
    /// the work.
    /// </summary>
    public bool DividesFast { get; init; }

    /// <summary>
    /// For a kernel with inline PTX: the least compute capability, 80 for 8.0, of the CUDA devices that have its instructions; no other device can
    /// run it. 0 for a kernel of every device.
    /// </summary>
    public int CudaCapability { get; init; }

    /// <summary>The mark of the kernel behind an entry (<see cref="KernelEntries"/>); one of defaults where it has none.</summary>
    public static KernelAttribute From(MethodInfo entry) =>
        entry.GetGenericArguments()[0].GetCustomAttribute<KernelAttribute>() ?? new KernelAttribute();
}
