using System.Reflection;
using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// A kernel over elements that are handled independently. As every kernel it is a struct whose fields are its arguments; shapes of views stand
/// where they are declared.
/// </summary>
public interface IElementKernel
{
    /// <summary>Handles an element.</summary>
    void Run(int element);
}

/// <summary>A kernel of as many items as are launched.</summary>
public interface IItemKernel
{
    /// <summary>Runs an item.</summary>
    void Run(int item);
}

/// <summary>A kernel of groups of threads, which read their indices from <see cref="Group"/> and <see cref="Grid"/>.</summary>
public interface IGroupKernel
{
    /// <summary>Runs a thread.</summary>
    void Run();
}

/// <summary>A kernel of a family that shares its arguments.</summary>
/// <typeparam name="TSelf">The kernel.</typeparam>
/// <typeparam name="TArguments">The family's arguments.</typeparam>
public interface IKernelWith<TSelf, TArguments>
    where TSelf : struct
    where TArguments : struct
{
    /// <summary>The kernel with these arguments.</summary>
    static abstract TSelf With(in TArguments arguments);
}

/// <summary>The methods that devices launch, one for each kind of kernel.</summary>
public static class KernelEntries
{
    /// <summary>One item, every items-th element (grid-stride loop).</summary>
    public static void Elements<TKernel>(Index1D index, TKernel kernel, int count, int items)
        where TKernel : struct, IElementKernel
    {
        for (int i = index; i < count; i += items) kernel.Run(i);
    }

    /// <summary>One item.</summary>
    public static void Items<TKernel>(Index1D index, TKernel kernel)
        where TKernel : struct, IItemKernel => kernel.Run(index);

    /// <summary>One thread of a group.</summary>
    public static void Groups<TKernel>(TKernel kernel)
        where TKernel : struct, IGroupKernel => kernel.Run();

    /// <summary>The entry of a kernel.</summary>
    /// <exception cref="ArgumentException">The type is not a kernel.</exception>
    public static MethodInfo Find(Type kernel)
    {
        string name = NameFor(kernel) ?? throw new ArgumentException($"{kernel.Name} is not a kernel.", nameof(kernel));
        return typeof(KernelEntries).GetMethod(name)!.MakeGenericMethod(kernel);
    }

    /// <summary>The name of a kernel's entry; null where it is no kernel.</summary>
    internal static string? NameFor(Type kernel) => typeof(IElementKernel).IsAssignableFrom(kernel) ? nameof(Elements)
        : typeof(IItemKernel).IsAssignableFrom(kernel) ? nameof(Items)
        : typeof(IGroupKernel).IsAssignableFrom(kernel) ? nameof(Groups)
        : null;
}
