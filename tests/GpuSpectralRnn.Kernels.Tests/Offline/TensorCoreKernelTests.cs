using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>What makes the product on tensor cores fast, read off its PTX; whether it is right, tests on CUDA devices tell.</summary>
public partial class TensorCoreKernelTests
{
    public static TheoryData<string> Products
    {
        get
        {
            TheoryData<string> names = [];
            foreach (MethodInfo kernel in Kernels) names.Add(OfflineCompilationTests.Name(kernel));
            return names;
        }
    }

    private static IEnumerable<MethodInfo> Kernels => KernelCatalog.All.Where(kernel => KernelCatalog.Kernel(kernel).Name == "GemmTensorCores`2");

    [Fact]
    public void Every_way_to_read_both_factors_is_here() => Assert.Equal(2 * 2, Products.Count);

    [Fact]
    public void Only_new_CUDA_devices_get_them() => Assert.All(Kernels, kernel => Assert.Equal(80, KernelCatalog.CudaCapability(kernel)));

    // ILGPU moves loads to where they are used, but not past inline PTX that has memory of its own: the next step's numbers must be on their way
    // before the products, and the barrier behind what they are put into.
    [SkippableTheory]
    [MemberData(nameof(Products))]
    public void A_step_fetches_multiplies_and_puts_in_this_order(string name)
    {
        string ptx = CompiledKernels.Ptx(Kernels.Single(kernel => OfflineCompilationTests.Name(kernel) == name), CudaArchitecture.SM_80);

        // 128 x 128 x 16 by 8 warps: 32 products of 16 x 8 x 8; each warp reads 32 + 64 lines of 16, 4 numbers a lane: 12 loads.
        int[] products = [.. Multiply().Matches(ptx).Select(match => match.Index)];
        Assert.Equal(32, products.Length);
        string between = ptx[products[0]..products[^1]];
        Assert.DoesNotContain("bar.sync", between, StringComparison.Ordinal);
        Assert.DoesNotContain(".global", between, StringComparison.Ordinal);
        Assert.Equal(12, SharedLoad().Count(ptx));

        // The loop's blocks may lie anywhere; the one with the products starts with the loads.
        string block = ptx[ptx.LastIndexOf(":\n", products[0], StringComparison.Ordinal)..products[0]];
        Assert.Equal(name.Contains("BySingles,BySingles", StringComparison.Ordinal) ? 16 : name.Contains("BySingles", StringComparison.Ordinal) ? 10 : 4, GlobalLoad().Count(block));
        Assert.DoesNotContain("st.shared", block, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"mma\.sync\.aligned\.m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32")]
    private static partial Regex Multiply();

    [GeneratedRegex(@"ld\.shared\.v4\.b32")]
    private static partial Regex SharedLoad();

    [GeneratedRegex(@"ld\.global\.(v4\.)?f32")]
    private static partial Regex GlobalLoad();
}
