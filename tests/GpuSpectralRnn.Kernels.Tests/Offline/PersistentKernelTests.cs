using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>
/// What makes the kernels over all steps fast, read off their PTX: weights in registers, wide accesses, no more barriers than designed.
/// </summary>
public partial class PersistentKernelTests
{
    public static TheoryData<string> Walks
    {
        get
        {
            TheoryData<string> names = [];
            foreach (MethodInfo kernel in Kernels) names.Add(OfflineCompilationTests.Name(kernel));
            return names;
        }
    }

    private static IEnumerable<MethodInfo> Kernels => KernelCatalog.All.Where(kernel =>
        KernelCatalog.Kernel(kernel) is { DeclaringType: null } type && type.Name.StartsWith("Persistent", StringComparison.Ordinal));

    [Fact]
    public void All_cells_directions_and_exchanges_are_here() => Assert.Equal(2 * 2 * 2 * 2 + 2 * 2 * 2 * 2, Walks.Count);

    [Theory]
    [MemberData(nameof(Walks))]
    public void Weights_stay_in_registers_and_a_step_has_few_barriers(string name)
    {
        MethodInfo kernel = Kernels.Single(kernel => OfflineCompilationTests.Name(kernel) == name);
        string ptx = CompiledKernels.Ptx(kernel, CudaArchitecture.SM_80);

        // A struct that went to memory, a call, or an access whose address space was lost.
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain(".func", ptx, StringComparison.Ordinal);
        Assert.Empty(GenericAccess().Matches(ptx));

        // States and the weights in shared memory are read four numbers at a time; single ones only when sums of lanes are added up.
        bool usesShuffles = KernelCatalog.UsesShuffles(kernel);
        Assert.NotEmpty(WideSharedLoad().Matches(ptx));
        if (usesShuffles) Assert.Empty(NarrowSharedLoad().Matches(ptx));

        // One before the walk (forward one more, behind the initial state), one a step, one more a step where the sums go through shared memory.
        int expected = 2 + (name.Contains("Forward", StringComparison.Ordinal) ? 1 : 0) + (usesShuffles ? 0 : 1);
        Assert.Equal(expected, Barrier().Count(ptx));
    }

    [GeneratedRegex(@"\s(ld|st)\.(v[24]\.)?[bfsu]\d+")]
    private static partial Regex GenericAccess();

    [GeneratedRegex(@"ld\.shared\.v4\.")]
    private static partial Regex WideSharedLoad();

    [GeneratedRegex(@"ld\.shared\.[bfsu]\d+")]
    private static partial Regex NarrowSharedLoad();

    [GeneratedRegex(@"\sbar\.sync")]
    private static partial Regex Barrier();
}
