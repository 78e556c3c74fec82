using System.Runtime.InteropServices;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>The ring on the simulator, in ordinary memory: what passes through it arrives whole, however it goes round.</summary>
[Collection("ilgpu-cpu")]
public sealed unsafe class UploadRingTests(IlgpuCpuDevice device) : IDisposable
{
    private const int Size = 4096;
    private readonly IlgpuBackend backend = (IlgpuBackend)device.Backend;
    private bool isFreed;

    public void Dispose() => Assert.True(isFreed);

    [Fact]
    public void Uploads_arrive_in_order_while_the_ring_goes_round()
    {
        using UploadRing ring = Create();
        for (int i = 0; i < 50; i++)
        {
            float[] values = Numbers.Normal(1 + 37 * i % 256, i);
            using Tensor target = backend.Allocate(new Shape(values.Length));
            Assert.True(ring.TryUpload<float>(backend.Stream, values, backend.View(target)));
            Assert.Equal(values, target.ToArray());
        }

        Assert.InRange(ring.Waits, 1, 49);
    }

    [Fact]
    public void What_does_not_fit_is_left_to_others()
    {
        using UploadRing ring = Create();
        using Tensor target = backend.Allocate(new Shape(Size));
        Assert.False(ring.TryUpload<float>(backend.Stream, new float[Size / 4 / sizeof(float) + 1], backend.View(target)));
        Assert.True(ring.TryUpload<float>(backend.Stream, new float[Size / 4 / sizeof(float)], backend.View(target)));
        Assert.Equal(0, ring.Waits);
    }

    [Fact]
    public void An_upload_allocates_nothing()
    {
        using UploadRing ring = Create();
        using Tensor target = backend.Allocate(new Shape(100));
        float[] values = new float[100];
        for (int i = 0; i < 3; i++) ring.TryUpload<float>(backend.Stream, values, backend.View(target));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 8; i++) ring.TryUpload<float>(backend.Stream, values, backend.View(target));
        long first = GC.GetAllocatedBytesForCurrentThread() - before;
        for (int i = 0; i < 8; i++) ring.TryUpload<float>(backend.Stream, values, backend.View(target));

        // The simulator's own copy may allocate; the same each time, and nothing of the data's size.
        Assert.Equal(2 * first, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(first / 8, 0, sizeof(float) * values.Length - 1);
    }

    private UploadRing Create() => new((nint)NativeMemory.Alloc(Size), Size, memory =>
    {
        NativeMemory.Free((void*)memory);
        isFreed = true;
    });
}
