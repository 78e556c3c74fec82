using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace GpuSpectralRnn.Kernels.Tests;

/// <summary>A kernel is compiled and loaded once for an accelerator, whoever asks for it.</summary>
public sealed class KernelLoaderTests : IDisposable
{
    private readonly Context context = Context.Create(builder => builder.CPU(new CPUDevice(32, 1, 1)));
    private readonly Accelerator accelerator;
    private readonly KernelLoader loader;

    public KernelLoaderTests()
    {
        accelerator = context.CreateCPUAccelerator(0);
        loader = new KernelLoader(accelerator, isSimulator: false);
    }

    public void Dispose()
    {
        accelerator.Dispose();
        context.Dispose();
    }

    [Fact]
    public void The_same_groups_are_loaded_once()
    {
        Kernel first = Load(32);

        Assert.Same(first, Load(32));
        Assert.NotSame(first, Load(16));
    }

    [Fact]
    public void The_same_items_are_loaded_once()
    {
        Kernel first = Items(32);

        Assert.Same(first, Items(32));
        Assert.NotSame(first, Items(16));
    }

    private Kernel Load(int groupSize) =>
        loader.LoadGrouped<Action<AcceleratorStream, KernelConfig, ArrayView<int>>>(Groups, groupSize, 0, out _).GetKernel();

    private Kernel Items(int groupSize) => loader.Load<Action<AcceleratorStream, Index1D, ArrayView<int>>>(Item, groupSize).GetKernel();

    private static void Groups(ArrayView<int> places) => places[Grid.GlobalIndex.X] = Group.IdxX;

    private static void Item(Index1D index, ArrayView<int> places) => places[index] = index;
}
