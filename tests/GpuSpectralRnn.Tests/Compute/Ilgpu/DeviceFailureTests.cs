using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>What is said where a device's driver fails.</summary>
public class DeviceFailureTests
{
    [Fact]
    public void A_failure_of_the_driver_is_told_in_its_words() =>
        Assert.Contains(
            "an illegal memory access", Devices.FailureOf(new CudaException("an illegal memory access was encountered")), StringComparison.Ordinal);

    [Fact]
    public void Other_exceptions_are_no_failures_of_a_device() => Assert.Null(Devices.FailureOf(new InvalidOperationException("a bug")));

    [SkippableFact]
    public void A_device_without_room_says_so_and_goes_on()
    {
        using IBackend backend = OnSimulator();
        Assert.Equal(0, CudaSimulator.Fail("alloc:1:2"));
        RunFailedException refused = Assert.Throws<RunFailedException>(() => backend.Allocate(new Shape(3, 4)));
        Assert.Contains("has no room", refused.Message, StringComparison.Ordinal);

        using Tensor tensor = backend.Allocate(new Shape(2));
        tensor.CopyFrom<float>([1, 2]);
        Assert.Equal([1, 2], tensor.ToArray());
    }

    // The failure shows at the next call that waits, and stays: what follows fails in the same words. Opened anew, the device works.
    [SkippableTheory]
    [InlineData("launch:1:719", "unspecified launch failure")]
    [InlineData("launch:1:700", "illegal memory access")]
    [InlineData("copy:1:214", "uncorrectable ECC error")]
    public void A_device_that_is_lost_says_why(string plan, string words)
    {
        IBackend backend = OnSimulator();
        Tensor tensor = backend.Allocate(new Shape(2, 2));
        Tensor product = backend.Allocate(new Shape(2, 2));
        tensor.CopyFrom<float>([1, 2, 3, 4]);
        _ = tensor.ToArray();
        Assert.Equal(0, CudaSimulator.Fail(plan));
        for (int again = 0; again < 2; again++)
        {
            Exception failed = Assert.ThrowsAny<Exception>(() =>
            {
                backend.Matrix.Gemm(new(false, false, 1, tensor, tensor, 0, product));
                _ = product.ToArray();
            });
            Assert.Contains(words, Devices.FailureOf(failed), StringComparison.Ordinal);
        }

        backend.Dispose(); // in silence: the failure was told
        using IBackend next = OnSimulator();
        using Tensor works = next.Allocate(new Shape(1));
        works.CopyFrom<float>([5]);
        Assert.Equal([5], works.ToArray());
    }

    // Failures are those of the current context, which is that of the device opened last on this thread.
    private static IBackend OnSimulator()
    {
        CudaSimulator.Require();
        return Devices.Open("cuda:0");
    }
}
