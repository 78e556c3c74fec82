using System.Reflection;
using Xunit;

namespace GpuSpectralRnn.Kernels.Tests;

public class KernelCatalogTests
{
    [Fact]
    public void Generic_kernels_are_closed_over_all_their_instances()
    {
        IEnumerable<Type> steps = KernelCatalog.All.Select(KernelCatalog.Kernel)
            .Where(kernel => kernel.Name == "Backward`1" && kernel.DeclaringType!.Name == "StepUnit");
        Assert.Equal(["ElmanCell`1", "ElmanCell`1", "LstmCell", "GruCell", "PeepholeLstmCell"], steps.Select(kernel => kernel.GetGenericArguments()[0].Name));
        Assert.All(KernelCatalog.All, kernel => Assert.False(kernel.ContainsGenericParameters));
    }

    [Fact]
    public void The_kind_of_a_kernel_tells_how_it_is_grouped()
    {
        Assert.All(Kernels("GemmBlocks`1"), kernel => Assert.False(KernelCatalog.IsImplicitlyGrouped(kernel)));
        Assert.All(Kernels("GemmTiles").Concat(Kernels("Sgd")), kernel => Assert.True(KernelCatalog.IsImplicitlyGrouped(kernel)));
        Assert.Throws<ArgumentException>(() => KernelEntries.Find(typeof(KernelCatalogTests)));

        static MethodInfo[] Kernels(string name) => [.. KernelCatalog.All.Where(kernel => KernelCatalog.Kernel(kernel).Name == name)];
    }

    // Without the size the compiler would plan for groups of any. Kernels over all steps of a layer have the sizes of PersistentTile.
    [Fact]
    public void Explicitly_grouped_kernels_state_their_groups() => Assert.All(
        KernelCatalog.All.Where(kernel => !KernelCatalog.IsImplicitlyGrouped(kernel)),
        kernel => Assert.Equal(
            KernelCatalog.Kernel(kernel).Name.StartsWith("Persistent", StringComparison.Ordinal), KernelAttribute.From(kernel).GroupSize == 0));

    [Fact]
    public void OpenCL_is_told_the_size_of_groups() => Assert.Equal(
        "kernel __attribute__((reqd_work_group_size(64, 1, 1))) void Kernel_Walk(", KernelLoader.WithGroupSize("kernel void Kernel_Walk(", 64));

    [Fact]
    public void Barriers_order_local_memory_too() => Assert.Equal(
        "work_group_barrier ( (CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE) );", KernelLoader.WithLocalFences("work_group_barrier ( CLK_GLOBAL_MEM_FENCE );"));
}
