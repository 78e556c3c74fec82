using System.Reflection;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>
/// Every kernel goes through NVIDIA's assembler, compiled for the groups that the program launches, and keeps everything in registers. Needs the
/// package and ptxas, no device.
/// </summary>
public class AssemblyTests
{
    private const int RegistersOfMultiprocessor = 65536;

    public static TheoryData<string> Kernels => OfflineCompilationTests.Kernels;

    /// <summary>
    /// The kernels over all steps that CUDA gets, in the groups that leave the fewest registers to a thread; those of 256 are among the others.
    /// </summary>
    public static TheoryData<string, int> Walks
    {
        get
        {
            IEnumerable<PersistentTile> tiles = Enumerable.Range(1, 256).Select(width => PersistentTile.Elman(width, usesShuffles: true))
                .Concat(Enumerable.Range(1, 128).Select(width => PersistentTile.GatedForward(4, width, usesShuffles: true)))
                .Concat(Enumerable.Range(1, 128).Select(width => PersistentTile.GatedBackward(3, width, usesShuffles: true)));
            int[] sizes = [.. tiles.Select(tile => tile.Threads).Distinct().OrderDescending().DistinctBy(MostRegisters).Take(2)];
            TheoryData<string, int> walks = [];
            foreach (MethodInfo kernel in KernelCatalog.All.Where(KernelCatalog.UsesShuffles))
                foreach (int size in sizes) walks.Add(OfflineCompilationTests.Name(kernel), size);
            return walks;
        }
    }

    [Fact]
    public void Walks_are_assembled_where_registers_are_fewest() =>
        Assert.Equal([448, 512], Walks.Select(row => (int)row[1]).Distinct().Order());

    [SkippableTheory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_assembles_without_spills(string name)
    {
        SkipWithoutAssembler(name);
        MethodInfo kernel = OfflineCompilationTests.Kernel(name);
        string ptx = CompiledKernels.Ptx(kernel, CudaArchitecture.SM_80);

        if (KernelCatalog.CudaCapability(kernel) <= 60)
            AssertKeepsRegisters(Ptxas.Assemble(CompiledKernels.Ptx(kernel, CudaArchitecture.SM_60), "sm_60"));
        AssertKeepsRegisters(Ptxas.Assemble(ptx, "sm_80"));
        AssertKeepsRegisters(Ptxas.Assemble(ptx, "sm_90")); // what the driver does with it there
    }

    [SkippableTheory]
    [MemberData(nameof(Walks))]
    public void Weights_stay_in_registers(string name, int groupSize)
    {
        SkipWithoutAssembler($"{name} in groups of {groupSize}");
        string ptx = CompiledKernels.Ptx(OfflineCompilationTests.Kernel(name), CudaArchitecture.SM_80, groupSize);

        foreach (string architecture in new[] { "sm_80", "sm_90" })
        {
            AssembledKernel kernel = Ptxas.Assemble(ptx, architecture);
            AssertKeepsRegisters(kernel);
            Assert.InRange(kernel.Registers, 1, MostRegisters(groupSize));
        }
    }

    [Fact]
    public void What_the_assembler_says_is_understood() => Assert.Equal(
        new AssembledKernel(Registers: 128, StackBytes: 8, SpillBytes: 12, SharedBytes: 17408),
        Ptxas.Read(
            """
            ptxas info    : 0 bytes gmem
            ptxas info    : Compiling entry function 'Kernel_Walk' for 'sm_90'
            ptxas info    : Function properties for Kernel_Walk
                8 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
            ptxas info    : Used 128 registers, 17408 bytes smem, 688 bytes cmem[0]
            """));

    private static void SkipWithoutAssembler(string what)
    {
        Skip.IfNot(Ptxas.IsHere, $"{what}: ptxas is neither on PATH nor in /usr/local/cuda/bin");
    }

    private static void AssertKeepsRegisters(AssembledKernel kernel) => Assert.Equal((0, 0), (kernel.StackBytes, kernel.SpillBytes));

    // Registers are dealt out in eights to a thread, and no thread gets more than 255.
    private static int MostRegisters(int groupSize) => Math.Min(255, RegistersOfMultiprocessor / groupSize / 8 * 8);
}
