using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace GpuSpectralRnn.Kernels.Tests.IlgpuPackage;

/// <summary>Groups, barriers and shared memory on the CPU accelerator at hand, be it ILGPU's or the stand-in's.</summary>
public class GroupTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 4)]
    [InlineData(2, 16)]
    public void Members_of_a_group_exchange_values_through_shared_memory(int groups, int members)
    {
        float[] values = [.. Enumerable.Range(0, groups * members).Select(i => (float)i)];

        float[] reversed = Run(values, ReverseInGroup, groups, members);

        float[] expected = [.. values.Chunk(members).SelectMany(group => group.Reverse())];
        Assert.Equal(expected, reversed);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(3, 16)]
    public void Lanes_of_a_warp_exchange_values_by_shuffles(int groups, int members)
    {
        float[] values = [.. Enumerable.Range(0, groups * members).Select(i => (float)i)];

        float[] exchanged = Run(values, ExchangeTwice, groups, members);

        // With lane 3 across, then that sum with the neighbour's.
        Assert.Equal(values.Select((_, i) => (float)((i ^ 3) + (i ^ 1 ^ 3))), exchanged);
    }

    [Fact]
    public void A_launch_brings_shared_memory_that_can_be_seen_as_other_elements()
    {
        float[] values = [.. Enumerable.Range(0, 32).Select(i => (float)i)];

        float[] reversed = Run(values, ReverseInDynamicMemory, groups: 2, members: 16, SharedMemoryConfig.RequestDynamic<float>(16));

        Assert.Equal(values.Chunk(16).SelectMany(group => group.Reverse()), reversed);
    }

    [Fact]
    public void A_kernel_over_an_index_visits_every_element_once()
    {
        const int Count = 443;
        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        using Accelerator accelerator = context.GetCPUDevices()[0].CreateAccelerator(context);
        using MemoryBuffer buffer = accelerator.AllocateRaw(Count, sizeof(float));
        ArrayView<float> view = buffer.AsArrayView<float>(0, Count);
        using AcceleratorStream stream = accelerator.CreateStream();
        view.MemSetToZero(stream);
        var add = accelerator.LoadImplicitlyGroupedKernel(((Delegate)AddIndex).Method, 1).CreateLauncherDelegate<Action<AcceleratorStream, Index1D, ArrayView<float>, float>>();

        add(stream, Count, view, 0.5f);
        stream.Synchronize();

        float[] result = new float[Count];
        view.CopyToCPU(stream, result.AsSpan());
        Assert.Equal(Enumerable.Range(0, Count).Select(i => i + 0.5f), result);
    }

#if !ILGPU_PACKAGE
    // What the stand-in watches for; ILGPU's own accelerator hangs or reads on instead.
    [Fact]
    public void An_access_beyond_a_view_is_an_error() =>
        Assert.Throws<IndexOutOfRangeException>(() => Run([1f], WriteBehindTheEnd, groups: 1, members: 2));

    [Fact]
    public void A_barrier_that_not_all_members_reach_is_an_error() =>
        Assert.Throws<InvalidOperationException>(() => Run([1f, 2f], BarrierOfSome, groups: 1, members: 2));

    [Fact]
    public void More_shared_memory_than_every_device_has_is_an_error() =>
        Assert.Throws<InvalidOperationException>(() => Run([1f, 2f], MuchSharedMemory, groups: 1, members: 2));

    [Fact]
    public void A_shuffle_that_not_all_lanes_reach_is_an_error() =>
        Assert.Throws<InvalidOperationException>(() => Run([1f, 2f], ShuffleOfSome, groups: 1, members: 2));

    [Fact]
    public void Dynamic_memory_that_the_launch_did_not_ask_for_is_an_error() =>
        Assert.Throws<InvalidOperationException>(() => Run(new float[16], ReverseInDynamicMemory, groups: 1, members: 16));

    [Fact]
    public void A_kernel_that_captures_is_an_error()
    {
        int captured = Environment.ProcessorCount;
        Assert.Throws<NotSupportedException>(() => Run([1f, 2f], view => view[0] = captured, groups: 1, members: 2));
    }

    private static void WriteBehindTheEnd(ArrayView<float> view) => view[Group.IdxX] = 1f;

    private static void BarrierOfSome(ArrayView<float> view)
    {
        if (Group.IdxX == 0) Group.Barrier();
        view[Group.IdxX] = 0f;
    }

    private static void ShuffleOfSome(ArrayView<float> view)
    {
        if (Group.IdxX == 0) view[0] = Warp.ShuffleXor(view[0], 1);
    }

    private static void MuchSharedMemory(ArrayView<float> view) => view[Group.IdxX] = SharedMemory.Allocate<float>(20_000)[0];
#endif

    private static void AddIndex(Index1D index, ArrayView<float> view, float offset) => view[index] += index + offset;

    private static void ExchangeTwice(ArrayView<float> view)
    {
        int place = Grid.IdxX * Group.DimX + Group.IdxX;
        float sum = Warp.ShuffleXor(view[place], 3);
        sum += Warp.ShuffleXor(sum, 1);
        view[place] = sum;
    }

    private static void ReverseInDynamicMemory(ArrayView<float> view)
    {
        ArrayView<float> shared = SharedMemory.GetDynamic<float>();
        ArrayView<int> bits = shared.Cast<int>();
        int place = Grid.IdxX * Group.DimX + Group.IdxX;
        shared[Group.IdxX] = view[place];
        Group.Barrier();
        view[place] = Interop.IntAsFloat((uint)bits[Group.DimX - 1 - Group.IdxX]);
    }

    private static void ReverseInGroup(ArrayView<float> view)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(16);
        int place = (Grid.IdxX * Group.DimX) + Group.IdxX;
        shared[Group.IdxX] = view[place];
        Group.Barrier();
        view[place] = shared[Group.DimX - 1 - Group.IdxX];
    }

    private static float[] Run(float[] values, Action<ArrayView<float>> kernel, int groups, int members, SharedMemoryConfig dynamicMemory = default)
    {
        using Context context = Context.Create(builder => builder.CPU(new CPUDevice(4, 4, 1)));
        using Accelerator accelerator = context.GetCPUDevices()[0].CreateAccelerator(context);
        using MemoryBuffer buffer = accelerator.AllocateRaw(values.Length, sizeof(float));
        ArrayView<float> view = buffer.AsArrayView<float>(0, values.Length);
        using AcceleratorStream stream = accelerator.CreateStream();
        view.CopyFromCPU(stream, new ReadOnlySpan<float>(values));
        var launch = accelerator.LoadKernel(kernel.Method, new KernelSpecialization(members, null)).CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, ArrayView<float>>>();
        launch(stream, new KernelConfig(groups, members, dynamicMemory), view);
        stream.Synchronize();
        float[] result = new float[values.Length];
        view.CopyToCPU(stream, result.AsSpan());
        return result;
    }
}
