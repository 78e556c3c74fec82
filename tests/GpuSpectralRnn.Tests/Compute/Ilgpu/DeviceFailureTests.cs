using GpuSpectralRnn.Compute;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>What is said where a device's driver fails.</summary>
public class DeviceFailureTests
{
    [Fact]
    public void A_failure_of_the_driver_is_told_in_its_words() =>
        Assert.Contains("an illegal memory access", Devices.FailureOf(new CudaException("an illegal memory access was encountered")), StringComparison.Ordinal);

    [Fact]
    public void Other_exceptions_are_no_failures_of_a_device() => Assert.Null(Devices.FailureOf(new InvalidOperationException("a bug")));
}
