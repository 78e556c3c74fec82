using System.Reflection;
using GpuSpectralRnn.Kernels;
using Xunit;

namespace GpuSpectralRnn.Kernels.Tests;

public class KernelCatalogTests
{
    [Fact]
    public void Generic_kernels_are_closed_over_all_their_instances()
    {
        IEnumerable<MethodInfo> elman = KernelCatalog.All.Where(kernel => kernel.DeclaringType == typeof(Elman) && kernel.Name == "ForwardUnit");
        string[] steps = [.. elman.Select(kernel => kernel.GetGenericArguments()[0].Name)];
        Assert.Equal([nameof(Relu), nameof(HyperbolicTangent)], steps);
        Assert.All(KernelCatalog.All, kernel => Assert.False(kernel.ContainsGenericParameters));
    }

    [Fact]
    public void The_first_parameter_tells_how_a_kernel_is_grouped()
    {
        Assert.All(KernelCatalog.All.Where(kernel => kernel.DeclaringType!.Name == "GemmBlocks"), kernel => Assert.False(KernelCatalog.IsImplicitlyGrouped(kernel)));
        Assert.True(KernelCatalog.IsImplicitlyGrouped(KernelCatalog.All.Single(kernel => kernel.Name == "RegisterTiled")));
    }

    // Without the size the compiler would plan for groups of any. Kernels over all steps of a layer have the sizes of PersistentTile.
    [Fact]
    public void Explicitly_grouped_kernels_state_their_groups() => Assert.All(
        KernelCatalog.All.Where(kernel => !KernelCatalog.IsImplicitlyGrouped(kernel)),
        kernel => Assert.Equal(kernel.DeclaringType!.Name.StartsWith("Persistent", StringComparison.Ordinal), KernelEntryAttribute.Of(kernel).GroupSize == 0));

    // A loader that loads a method without the mark would escape the rules and the offline compilation.
    [Fact]
    public void Every_method_over_an_index_is_marked_as_a_kernel()
    {
        const BindingFlags Statics = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        IEnumerable<string> unmarked = typeof(KernelCatalog).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(Statics))
            .Where(method => KernelCatalog.IsImplicitlyGrouped(method) && method.GetCustomAttribute<KernelEntryAttribute>() is null)
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}");
        Assert.Empty(unmarked);
    }

    [Fact]
    public void OpenCL_is_told_the_size_of_groups() => Assert.Equal(
        "kernel __attribute__((reqd_work_group_size(64, 1, 1))) void Kernel_Walk(", KernelLoader.WithGroupSize("kernel void Kernel_Walk(", 64));

    [Fact]
    public void Barriers_order_local_memory_too() => Assert.Equal(
        "work_group_barrier ( (CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE) );", KernelLoader.WithLocalFences("work_group_barrier ( CLK_GLOBAL_MEM_FENCE );"));
}
