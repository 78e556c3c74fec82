using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace GpuSpectralRnn.Kernels.Tests;

/// <summary>What the kernels ask of ILGPU's CPU accelerator: groups of 64 that meet at barriers, and shared memory that a launch brings.</summary>
public class GroupTests
{
    private const int Members = 64;

    [Fact]
    public void Members_meet_at_barriers() => AssertReverses(ReverseInGroup, default);

    [Fact]
    public void A_launch_brings_shared_memory_that_can_be_seen_as_other_elements() =>
        AssertReverses(ReverseInDynamicMemory, SharedMemoryConfig.RequestDynamic<float>(Members));

    private static void ReverseInGroup(ArrayView<float> view)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(Members);
        int place = Grid.GlobalIndex.X;
        shared[Group.IdxX] = view[place];
        Group.Barrier();
        view[place] = shared[Group.DimX - 1 - Group.IdxX];
    }

    private static void ReverseInDynamicMemory(ArrayView<float> view)
    {
        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<int> bits = shared.Cast<int>();
        int place = Grid.GlobalIndex.X;
        shared[Group.IdxX] = view[place];
        Group.Barrier();
        view[place] = Interop.IntAsFloat((uint)bits[Group.DimX - 1 - Group.IdxX]);
    }

    private static void AssertReverses(Action<ArrayView<float>> kernel, SharedMemoryConfig dynamicMemory)
    {
        const int Groups = 3;
        float[] values = [.. Enumerable.Range(0, Groups * Members).Select(i => (float)i)];
        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(Members, 1, 1)));
        using Accelerator accelerator = context.CreateCPUAccelerator(0);
        using MemoryBuffer1D<float, Stride1D.Dense> buffer = accelerator.Allocate1D(values);
        var launch = accelerator.LoadKernel(kernel.Method, new KernelSpecialization(Members, null))
            .CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, ArrayView<float>>>();

        launch(accelerator.DefaultStream, new KernelConfig(Groups, Members, dynamicMemory), buffer.View.AsContiguous());
        accelerator.Synchronize();

        Assert.Equal(values.Chunk(Members).SelectMany(group => group.Reverse()), buffer.GetAsArray1D());
    }
}
