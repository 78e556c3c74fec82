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
    public void A_kernel_is_loaded_once_for_each_size_of_its_groups()
    {
        Assert.Equal(0, loader.Loaded);
        loader.Groups<Groups>();
        loader.Groups<Groups>();
        Assert.Equal(1, loader.Loaded);
        loader.Groups<Groups>(groupSize: 32, dynamicBytes: 0, out _);
        loader.Elements<Element>();
        loader.Elements<Element>();
        Assert.Equal(3, loader.Loaded);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(5000)]
    public void Every_element_is_handled_and_none_beyond(int count)
    {
        using MemoryBuffer1D<int, Stride1D.Dense> places = accelerator.Allocate1D<int>(count + 1);
        places.MemSetToZero();

        loader.Elements<Element>()(accelerator.DefaultStream, count, new(places.View.AsContiguous()));
        loader.Elements<Element>()(accelerator.DefaultStream, 0, default);
        accelerator.Synchronize();

        Assert.Equal([.. Enumerable.Range(1, count), 0], places.GetAsArray1D());
    }

    [Fact]
    public void Groups_have_the_size_that_their_mark_states()
    {
        using MemoryBuffer1D<int, Stride1D.Dense> places = accelerator.Allocate1D<int>(3 * 16);

        loader.Groups<Groups>()(accelerator.DefaultStream, 3, new(places.View.AsContiguous()));
        accelerator.Synchronize();

        Assert.Equal([.. Enumerable.Repeat(Enumerable.Range(0, 16), 3).SelectMany(group => group)], places.GetAsArray1D());
    }

    /// <summary>places[i] = i + 1.</summary>
    public readonly struct Element(ArrayView<int> places) : IElementKernel
    {
        public void Run(int element) => places[element] += element + 1;
    }

    /// <summary>The place of each thread in its group.</summary>
    [Kernel(GroupSize = 16)]
    public readonly struct Groups(ArrayView<int> places) : IGroupKernel
    {
        public void Run() => places[Grid.GlobalIndex.X] = Group.IdxX;
    }
}
